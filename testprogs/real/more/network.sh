# needs: iperf3 nmap turnserver
iperf3 -s -1 -B 127.0.0.1 -p 18521 >/dev/null 2>&1 &
p=$!
sleep 1
iperf3 -c 127.0.0.1 -p 18521 -t 1 -P 4 >/dev/null; echo $?
wait $p; echo $?
nmap -n -Pn -sT -p 18521-18540 127.0.0.1 | grep -c 'closed'; echo $?
turnserver -n -L 127.0.0.1 -p 18478 --no-tls --no-dtls --no-cli -m 3 -l "$PWD/log" --pidfile "$PWD/pid" --userdb "$PWD/db" >/dev/null 2>&1 &
p=$!
sleep 2
kill $p; wait $p; echo $?
