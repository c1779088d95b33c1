# needs: knotd kdig
printf '$TTL 60\n@ IN SOA n.x. h.x. 1 60 60 60 60\n@ IN NS n.x.\nn IN A 127.0.0.1\na IN A 10.0.0.1\n' > x.zone
mkdir db run
printf 'server:\n    listen: 127.0.0.1@18144\n    rundir: "%s/run"\n    udp-workers: 2\n    tcp-workers: 2\n    background-workers: 2\ndatabase:\n    storage: "%s/db"\nzone:\n  - domain: x\n    file: "%s/x.zone"\n' "$PWD" "$PWD" "$PWD" > k.conf
knotd -c k.conf >/dev/null 2>&1 &
p=$!
for i in $(seq 100); do kdig +short @127.0.0.1 -p 18144 a.x 2>/dev/null | grep -q 10.0.0.1 && break; sleep 0.1; done
for i in $(seq 30); do kdig +short @127.0.0.1 -p 18144 a.x; done | sort | uniq -c
kill $p
wait $p
echo $?
