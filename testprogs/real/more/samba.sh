# needs: smbd smbclient testparm
mkdir -p share priv lock state cache pid ncalrpc
chmod 755 . priv lock state cache pid ncalrpc
seq 5000 > share/a
cat > c <<EOF
[global]
 smb ports = 18445
 bind interfaces only = yes
 interfaces = lo
 server role = standalone
 map to guest = Bad User
 guest account = root
 private dir = $PWD/priv
 lock directory = $PWD/lock
 state directory = $PWD/state
 cache directory = $PWD/cache
 pid directory = $PWD/pid
 ncalrpc dir = $PWD/ncalrpc
 log file = $PWD/log
 disable spoolss = yes
 load printers = no
[s]
 path = $PWD/share
 guest ok = yes
 read only = no
EOF
# It ends its process group with itself.
setsid smbd -F -s c </dev/null >/dev/null 2>&1 &
p=$!
sleep 4
for i in 1 2 3; do smbclient -N -p 18445 //127.0.0.1/s -s c -c 'get a b; put b c; ls; rm c' 2>&1 | grep -cE '  (a|b) '; cmp share/a b; echo $?; done
kill $p
wait $p
echo $?
