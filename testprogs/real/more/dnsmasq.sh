# needs: dnsmasq
dnsmasq -k -p 18116 --no-resolv --no-hosts --address=/a.x/10.0.0.1 --listen-address=127.0.0.1 --bind-interfaces --no-daemon >/dev/null 2>&1 &
p=$!
python3 "$(dirname "$0")/../lib/dns_queries.py" 18116
sleep 3
kill $p
wait $p
echo $?
