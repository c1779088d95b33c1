# needs: gearmand gearman
gearmand -L 127.0.0.1 -p 18730 -l "$PWD/log" -t 3 -P "$PWD/pid" >/dev/null 2>&1 &
p=$!
sleep 2
gearman -h 127.0.0.1 -p 18730 -w -c 20 -f up -- tr a-z A-Z &
w=$!
for i in $(seq 20); do echo "job $i" | gearman -h 127.0.0.1 -p 18730 -f up; done
wait $w
echo $?
kill $p
wait $p
echo $?
