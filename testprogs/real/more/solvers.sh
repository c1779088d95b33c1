# needs: minizinc cbc
printf 'var 1..20: x; var 1..20: y; constraint x*x + y*y = 100; constraint x < y; solve satisfy; output ["\\(x) \\(y)\\n"];' > a.mzn
minizinc --solver gecode -p 2 a.mzn 2>&1
echo $?
printf 'Maximize\n obj: 3x+2y+4z\nSubject To\n c1: x+y+2z<=10\n c2: x-y<=3\nBounds\n x<=4\nGeneral\n x y z\nEnd\n' > a.lp
cbc a.lp -threads 2 solve 2>&1 | grep -E 'Objective value|Optimal solution'
