# needs: dnsmasq
dnsmasq -k -p 18116 --no-resolv --no-hosts --address=/a.x/10.0.0.1 --listen-address=127.0.0.1 --bind-interfaces --no-daemon >/dev/null 2>&1 &
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
",("127.0.0.1",18116)); assert len(s.recv(500))>20
print("ok")
X
sleep 3
kill $p
wait $p
echo $?
