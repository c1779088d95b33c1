# needs: icecast2 curl
mkdir -p log web admin
chmod 777 . log web admin
cat > c.xml <<EOF
<icecast><limits><clients>20</clients><sources>3</sources></limits><authentication><source-password>s</source-password><admin-user>a</admin-user><admin-password>a</admin-password></authentication><hostname>localhost</hostname><listen-socket><port>18180</port><bind-address>127.0.0.1</bind-address></listen-socket><paths><basedir>$PWD</basedir><logdir>$PWD/log</logdir><webroot>$PWD/web</webroot><adminroot>$PWD/admin</adminroot></paths><logging><accesslog>a.log</accesslog><errorlog>e.log</errorlog><loglevel>1</loglevel></logging><security><chroot>0</chroot><changeowner><user>nobody</user><group>nogroup</group></changeowner></security></icecast>
EOF
icecast2 -c c.xml >/dev/null 2>&1 &
p=$!
sleep 2
head -c 400000 /dev/zero | curl -s -u source:s -H 'Content-Type: audio/mpeg' --limit-rate 100k -T - http://127.0.0.1:18180/x >/dev/null 2>&1 &
s=$!
sleep 1
for i in 1 2 3; do curl -s -m 1 http://127.0.0.1:18180/x >/dev/null; echo $?; done
curl -s -u a:a http://127.0.0.1:18180/admin/stats | grep -c icestats
wait $s
kill $p
wait $p
echo $?
