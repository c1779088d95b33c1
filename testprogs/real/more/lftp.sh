# needs: lftp python3
mkdir s d; for i in 1 2 3 4 5 6; do seq $((i*1000)) > s/f$i; done
python3 -m http.server --bind 127.0.0.1 --directory s 18140 >/dev/null 2>&1 &
p=$!
sleep 1.5
lftp -c "set xfer:log no; open http://127.0.0.1:18140/; mirror -P 3 / d" >/dev/null 2>&1; echo $?
ls d | wc -l
kill $p; wait $p; echo $?
