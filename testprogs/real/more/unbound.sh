# needs: unbound
printf 'server:\n interface: 127.0.0.1@18114\n num-threads: 3\n do-daemonize: no\n chroot: ""\n username: ""\n directory: "%s"\n pidfile: ""\n use-syslog: no\n local-zone: "x." static\n local-data: "a.x. A 10.0.0.1"\n access-control: 127.0.0.0/8 allow\nremote-control:\n control-enable: no\n' $PWD > u.cfg
unbound -d -c u.cfg >/dev/null 2>&1 &
p=$!
python3 "$(dirname "$0")/../lib/dns_queries.py" 18114
sleep 3
kill $p
wait $p
echo $?
