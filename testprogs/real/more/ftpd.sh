# needs: proftpd curl
mkdir -p d run
chmod 777 . d run
seq 20000 > d/a
cat > c <<EOF
ServerName x
ServerType standalone
Port 18121
DefaultAddress 127.0.0.1
UseIPv6 off
User nobody
Group nogroup
ScoreboardFile $PWD/run/sb
PidFile $PWD/run/pid
DelayEngine off
WtmpLog off
TransferLog none
SystemLog $PWD/run/log
ModulePath /usr/lib/proftpd
<Anonymous $PWD/d>
 User nobody
 Group nogroup
 UserAlias anonymous nobody
 RequireValidShell off
</Anonymous>
EOF
proftpd -n -q -c "$PWD/c" >/dev/null 2>&1 &
p=$!
sleep 3
for i in 1 2 3; do curl -s --user anonymous:x ftp://127.0.0.1:18121/a | cmp - d/a; echo $?; curl -s --user anonymous:x ftp://127.0.0.1:18121/ | grep -c ' a$'; done
kill $p
wait $p
echo $?
