# needs: beanstalkd bash
mkdir b; beanstalkd -l 127.0.0.1 -p 18138 -b b &
p=$!
sleep 1
exec 5<>/dev/tcp/127.0.0.1/18138
for i in $(seq 100); do printf 'put 1 0 60 2\r\nhi\r\n' >&5; read -r x <&5; done; echo $x
printf 'reserve\r\n' >&5; read -r x <&5; read -r y <&5; echo $x $y
printf 'quit\r\n' >&5; exec 5>&-
kill $p; wait $p; echo $?
