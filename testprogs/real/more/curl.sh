# needs: curl wget
python3 -m http.server 18080 --bind 127.0.0.1 >/dev/null 2>&1 &
p=$!
sleep 0.5
echo hi > x
curl -s http://127.0.0.1:18080/x
wget -qO- http://127.0.0.1:18080/x
kill $p
