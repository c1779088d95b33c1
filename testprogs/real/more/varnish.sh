# needs: varnishd ab
varnishd -C -f /dev/null >/dev/null 2>&1
printf 'vcl 4.1; backend default none; sub vcl_recv { return (synth(200)); }\n' > v.vcl
varnishd -F -a 127.0.0.1:18119 -f $PWD/v.vcl -n $PWD/v -s malloc,16m > /dev/null 2>&1 &
p=$!
sleep 3
ab -q -n 2000 -c 10 http://127.0.0.1:18119/ | grep -E "Complete|Failed"
sleep 3
kill $p
wait $p
echo $?
