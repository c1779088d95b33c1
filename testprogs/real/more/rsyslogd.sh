# needs: rsyslogd
printf 'module(load="imudp")\ninput(type="imudp" port="18117" address="127.0.0.1")\n*.* %s/log\n' $PWD > r.cfg
rsyslogd -n -f r.cfg -i $PWD/pid >/dev/null 2>&1 &
p=$!
sleep 1
for i in $(seq 200); do echo "<13>x: m$i" > /dev/udp/127.0.0.1/18117; done
sleep 3
wc -l < log
kill $p
wait $p
echo $?
