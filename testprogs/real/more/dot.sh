# needs: dot
printf 'digraph { a -> b -> c; a -> c; subgraph cluster { d e } c -> d }' | dot -Tplain
