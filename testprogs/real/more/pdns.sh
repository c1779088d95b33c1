# needs: pdns_server pdns_recursor dnsdist dig
mkdir -p s
printf 'zone "t.x" { file "%s/z"; type master; };\n' $PWD > b
printf '$ORIGIN t.x.\n$TTL 60\n@ IN SOA a b 1 2 3 4 5\n@ IN NS ns\nns IN A 127.0.0.1\n' > z
for i in $(seq 100); do echo "h$i IN A 10.0.0.$i"; done >> z
pdns_server --config-dir="$PWD" --launch=bind --bind-config="$PWD/b" --local-address=127.0.0.1 --local-port=18053 --socket-dir="$PWD/s" --daemon=no --guardian=no --receiver-threads=2 >/dev/null 2>&1 &
a=$!
pdns_recursor --config-dir="$PWD" --local-address=127.0.0.1 --local-port=18054 --socket-dir="$PWD/s" --forward-zones=t.x=127.0.0.1:18053 --threads=2 --daemon=no --dnssec=off >/dev/null 2>&1 &
b=$!
printf 'setLocal("127.0.0.1:18055")\nnewServer{address="127.0.0.1:18053", checkInterval=1}\n' > d.conf
dnsdist --supervised -C d.conf >/dev/null 2>&1 &
c=$!
sleep 4
for port in 18053 18054 18055; do for i in 1 50 100; do dig +short +tries=2 @127.0.0.1 -p $port h$i.t.x; done; done
kill $a $b $c
wait $a; echo $?
wait $b; echo $?
wait $c; echo $?
