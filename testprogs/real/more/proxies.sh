# needs: tinyproxy privoxy python3 curl
mkdir w; seq 3000 > w/a
chmod -R a+rX .
python3 -m http.server -b 127.0.0.1 -d w 18801 >/dev/null 2>&1 &
s=$!
printf 'Port 18802\nListen 127.0.0.1\nMaxClients 20\nUser nobody\nGroup nogroup\n' > t
tinyproxy -d -c t >/dev/null 2>&1 &
t=$!
printf 'listen-address 127.0.0.1:18803\nconfdir /etc/privoxy\nlogdir .\n' > p
privoxy --no-daemon p >/dev/null 2>&1 &
p=$!
sleep 3
for i in 1 2 3 4; do for port in 18802 18803; do curl -s -x http://127.0.0.1:$port http://127.0.0.1:18801/a | cmp - w/a; echo $?; done; done
kill $t $p $s
wait $t; echo $?
wait $p; echo $?
wait $s
