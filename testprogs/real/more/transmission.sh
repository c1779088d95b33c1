# needs: transmission-create transmission-daemon transmission-remote
seq 100000 > f
transmission-create -o f.torrent f >/dev/null 2>&1; echo $?
transmission-daemon -f -g $PWD/c -w $PWD -p 18134 -r 127.0.0.1 -i 127.0.0.1 -P 18135 -O -Y --no-portmap >/dev/null 2>&1 &
p=$!
for i in $(seq 50); do transmission-remote 127.0.0.1:18134 -l >/dev/null 2>&1 && break; sleep 0.1; done
transmission-remote 127.0.0.1:18134 -a f.torrent -w $PWD >/dev/null; echo $?
sleep 3
transmission-remote 127.0.0.1:18134 -l | grep -c '100%'
kill $p
wait $p
echo $?
