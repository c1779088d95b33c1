# needs: gap gp maxima ngspice
echo 'G := SymmetricGroup(8);; Print(Size(G), " ", Length(ConjugacyClasses(G)), "\n"); Print(Factors(2^67-1), "\n"); quit;' | gap -q -b 2>&1
echo $?
echo 'print(factor(2^101-1)); print(#bnfinit(x^3-7).gen); forprime(p=100,120,print(p))' | gp -q -f 2>&1
echo $?
maxima --very-quiet --batch-string='factor(x^8-1); integrate(sin(x)^2,x); expand((a+b)^7);' 2>&1
echo $?
printf 't\nv1 1 0 dc 1 ac 1\nr1 1 2 1k\nc1 2 0 1u\n.op\n.ac dec 5 1 10k\n.print ac vm(2)\n.end\n' > a.cir
ngspice -b a.cir 2>/dev/null | grep -cE '^[0-9]'
