# needs: unbound
printf 'server:\n interface: 127.0.0.1@18114\n num-threads: 3\n do-daemonize: no\n chroot: ""\n username: ""\n directory: "%s"\n pidfile: ""\n use-syslog: no\n local-zone: "x." static\n local-data: "a.x. A 10.0.0.1"\n access-control: 127.0.0.0/8 allow\nremote-control:\n control-enable: no\n' $PWD > u.cfg
unbound -d -c u.cfg >/dev/null 2>&1 &
p=$!
sleep 1
python3 - <<X
import socket
s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM); s.settimeout(5)
for i in range(3000):
    s.sendto(b"\\x12\\x34\
\\x00\\x00\
\\x00\\x00\\x00\\x00\\x00\\x00\
a\
x\\x00\\x00\
\\x00\
",("127.0.0.1",18114)); assert len(s.recv(500))>20
print("ok")
X
sleep 3
kill $p
wait $p
echo $?
