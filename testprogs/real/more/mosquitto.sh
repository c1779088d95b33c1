# needs: mosquitto mosquitto_pub
mosquitto -p 18115 >/dev/null 2>&1 &
p=$!
sleep 1
(mosquitto_sub -p 18115 -t a/# -C 50 | wc -l) & s=$!
sleep 0.5
for i in $(seq 50); do mosquitto_pub -p 18115 -t a/b -m x$i; done
wait $s
sleep 2
kill $p
wait $p
echo $?
