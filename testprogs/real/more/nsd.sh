# needs: nsd dig
printf '$TTL 60\n@ IN SOA n.x. h.x. 1 60 60 60 60\n@ IN NS n.x.\nn IN A 127.0.0.1\na IN A 10.0.0.1\n' > x.zone
printf 'server:\n ip-address: 127.0.0.1@18137\n server-count: 2\n username: ""\n chroot: ""\n zonesdir: "%s"\n zonelistfile: "%s/zl"\n xfrdfile: "%s/xf"\n xfrdir: "%s"\n database: ""\n pidfile: "%s/pid"\nremote-control:\n control-enable: no\nzone:\n name: x\n zonefile: x.zone\n' "$PWD" "$PWD" "$PWD" "$PWD" "$PWD" > n.conf
nsd -d -c n.conf >/dev/null 2>&1 &
p=$!
sleep 2
for i in $(seq 40); do dig +short @127.0.0.1 -p 18137 a.x; done | sort | uniq -c
kill $p
wait $p
echo $?
