# needs: ocamlopt
echo 'let rec f n = if n<2 then n else f(n-1)+f(n-2);; print_int (f 24); print_newline ();; let t = List.init 4 (fun i -> Thread.create (fun () -> for _=1 to 1000 do ignore (Array.make 100 i) done) ()) ;; List.iter Thread.join t' > a.ml
ocamlfind ocamlopt -package threads.posix -linkpkg a.ml -o a 2>/dev/null || ocamlopt -I +threads unix.cmxa threads.cmxa a.ml -o a
./a
