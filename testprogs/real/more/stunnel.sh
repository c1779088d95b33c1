# needs: stunnel4 openssl python3
openssl req -x509 -newkey rsa:2048 -nodes -keyout k.pem -out c.pem -days 2 -subj /CN=x 2>/dev/null
mkdir s; seq 1000 > s/a
python3 -m http.server --bind 127.0.0.1 --directory s 18145 >/dev/null 2>&1 &
w=$!
printf 'foreground = yes\npid =\n[a]\naccept = 127.0.0.1:18146\nconnect = 127.0.0.1:18145\ncert = %s/c.pem\nkey = %s/k.pem\n' "$PWD" "$PWD" > s.conf
stunnel4 s.conf >/dev/null 2>&1 &
p=$!
sleep 2
for i in $(seq 20); do python3 -c 'import ssl,urllib.request; c = ssl._create_unverified_context(); print(len(urllib.request.urlopen("https://127.0.0.1:18146/a", context=c).read()))'; done | sort | uniq -c
kill $p; wait $p; echo $?
kill $w; wait $w; echo $?
