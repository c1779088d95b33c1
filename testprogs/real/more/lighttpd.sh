# needs: lighttpd ab
mkdir www; seq 1000 > www/a.txt
printf 'server.document-root = "%s/www"\nserver.port = 18132\nserver.bind = "127.0.0.1"\nserver.errorlog = "%s/err"\n' "$PWD" "$PWD" > l.conf
lighttpd -D -f l.conf >/dev/null 2>&1 &
p=$!
sleep 2
ab -q -n 2000 -c 10 http://127.0.0.1:18132/a.txt 2>/dev/null | grep -E "Complete|Failed"
kill -INT $p
wait $p
echo $?
