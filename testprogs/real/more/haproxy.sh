# needs: haproxy ab
printf 'global\n nbthread 3\ndefaults\n mode http\n timeout connect 2s\n timeout client 5s\n timeout server 5s\nfrontend f\n bind 127.0.0.1:18112\n http-request return status 200 content-type text/plain string hi\n' > h.cfg
haproxy -f h.cfg >/dev/null 2>&1 &
p=$!
sleep 1
ab -q -n 3000 -c 10 http://127.0.0.1:18112/ | grep -E "Complete|Failed"
sleep 4
kill -USR1 $p
wait $p
echo $?
