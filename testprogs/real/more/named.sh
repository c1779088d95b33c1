# needs: named dig
cat > n.conf <<EOF
options { directory "$PWD"; listen-on port 18131 { 127.0.0.1; }; listen-on-v6 { none; }; recursion no; pid-file none; session-keyfile "$PWD/s.key"; dnssec-validation no; };
controls { };
zone "x" { type primary; file "x.zone"; };
EOF
printf '$TTL 60\n@ IN SOA n.x. h.x. 1 60 60 60 60\n@ IN NS n.x.\nn IN A 127.0.0.1\na IN A 10.0.0.1\n' > x.zone
named -g -n 2 -c n.conf >/dev/null 2>&1 &
p=$!
for i in $(seq 100); do dig +short +tries=1 +timeout=1 @127.0.0.1 -p 18131 a.x 2>/dev/null | grep -q 10.0.0.1 && break; sleep 0.1; done
for i in $(seq 40); do dig +short @127.0.0.1 -p 18131 a.x n.x; done | sort | uniq -c
kill $p
wait $p
echo $?
