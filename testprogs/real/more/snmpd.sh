# needs: snmpd snmpget snmpwalk
printf 'rocommunity public 127.0.0.1\nsysLocation here\nsysContact me\n' > c
snmpd -f -Lf "$PWD/log" -C -c "$PWD/c" -p "$PWD/pid" udp:127.0.0.1:18161 >/dev/null 2>&1 &
p=$!
sleep 3
for i in 1 2 3; do snmpget -v2c -c public -Oqv 127.0.0.1:18161 1.3.6.1.2.1.1.6.0; done
snmpwalk -v2c -c public -Oqn 127.0.0.1:18161 1.3.6.1.2.1.1.4
snmpwalk -v2c -c public -Oqn 127.0.0.1:18161 1.3.6.1.2.1.2 >/dev/null
echo $?
kill $p
wait $p
echo $?
