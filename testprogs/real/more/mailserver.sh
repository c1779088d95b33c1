# needs: smtpd python3
mkdir -p q; chmod 711 q .
printf 'listen on 127.0.0.1 port 18025\naction a relay host smtp://127.0.0.1:18026\nmatch from any for any action a\n' > c
smtpd -d -f c >/dev/null 2>&1 &
p=$!
sleep 3
python3 -c '
import smtplib
for i in range(10):
    s = smtplib.SMTP("127.0.0.1", 18025)
    print(s.sendmail("a@b.c", ["d@e.f"], "Subject: x\n\nbody\n"))
    s.quit()'
kill $p; wait $p; echo $?
