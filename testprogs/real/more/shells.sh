# needs: zsh fish luajit gforth
zsh -f -c 'a=(3 1 2); print ${(o)a}; for i in {1..50}; do x=$(echo $i); done; print $x; coproc cat; print -p hi; read -p y; print $y'
echo $?
fish --no-config -c 'for i in (seq 50); set x (echo $i); end; echo $x; echo b a | tr " " "\n" | sort'
echo $?
luajit -e 'local t={} for i=1,1e6 do t[i%1000]=tostring(i) end print(#t) local co=coroutine.wrap(function() for i=1,3 do coroutine.yield(i) end end) print(co(),co(),co())'
echo $?
gforth -e ': f 100 0 do i drop loop ; f 1 2 + . bye'
echo $?
