# needs: ngircd python3
cat > c <<EOF
[Global]
Name = irc.test.net
Info = x
Listen = 127.0.0.1
Ports = 18667
ServerUID = nobody
ServerGID = nogroup
MotdPhrase = hi
[Options]
PAM = no
DNS = no
Ident = no
EOF
chmod 644 c
ngircd -n -f "$PWD/c" >/dev/null 2>&1 &
p=$!
sleep 2
python3 - <<'EOF'
import socket
def user(n):
    s = socket.create_connection(('127.0.0.1', 18667)); f = s.makefile('rw', newline='\r\n')
    f.write(f'NICK n{n}\r\nUSER u 0 * :r\r\nJOIN #c\r\n'); f.flush()
    for line in f:
        if ' 366 ' in line: return s, f
users = [user(n) for n in range(10)]
for n, (s, f) in enumerate(users):
    f.write(f'PRIVMSG #c :hello {n}\r\n'); f.flush()
    g = users[(n + 1) % 10][1]
    print(next(line for line in g if f'hello {n}' in line).split(' ', 1)[1].strip())
for s, f in users:
    f.write('QUIT\r\n'); f.flush()
EOF
kill $p
wait $p
echo $?
