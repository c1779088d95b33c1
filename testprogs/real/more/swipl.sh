# needs: swipl
cat > a.pl <<EOF
count(0) :- !.
count(N) :- atom_concat(a, N, A), assertz(f(A)), M is N-1, count(M).
:- dynamic f/1.
main :- findall(T, (between(1, 4, _), thread_create(count(2000), T)), Ts), forall(member(T, Ts), thread_join(T)), aggregate_all(count, f(_), N), garbage_collect_atoms, concurrent_maplist([X,Y]>>(Y is X*2), [1,2,3,4], L), print(N-L), nl.
:- initialization((main, halt)).
EOF
swipl -q a.pl
echo $?
