# needs: z3 gnatmake
printf '(set-option :parallel.enable true)(set-option :parallel.threads.max 2)\n(declare-const x Int)(declare-const y Int)(assert (and (> x 3) (< y 10) (= (+ x y) 12) (= (mod x 7) 2)))(check-sat)(get-value ((+ x y)))\n' > a.smt2
z3 a.smt2; echo $?
cat > a.adb <<EOF
with Ada.Text_IO; use Ada.Text_IO;
procedure A is
   protected Count is procedure Add; function Get return Integer; private N : Integer := 0; end Count;
   protected body Count is
      procedure Add is begin N := N + 1; end Add;
      function Get return Integer is (N);
   end Count;
   task type Worker;
   task body Worker is begin for I in 1 .. 10_000 loop Count.Add; end loop; end Worker;
begin
   declare W : array (1 .. 4) of Worker; begin null; end;
   Put_Line (Integer'Image (Count.Get));
end A;
EOF
sed -i 's/ *$//' a.adb
gnatmake -q a.adb >/dev/null 2>&1 && ./a; echo $?
