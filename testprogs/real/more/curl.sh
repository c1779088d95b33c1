# needs: curl wget
python3 -m http.server 18080 --bind 127.0.0.1 >/dev/null 2>&1 &
p=$!
echo hi > x
curl -s --retry 60 --retry-connrefused --retry-delay 1 http://127.0.0.1:18080/x
wget -qO- --tries=60 --retry-connrefused http://127.0.0.1:18080/x
kill $p
