# needs: aria2c python3
mkdir s d; seq 200000 > s/a; seq 300000 > s/b
python3 -m http.server --bind 127.0.0.1 --directory s 18136 >/dev/null 2>&1 &
p=$!
sleep 1.5
aria2c -q --no-conf -d d -j 4 -x 4 http://127.0.0.1:18136/a http://127.0.0.1:18136/b -Z; echo $?
cmp s/a d/a; cmp s/b d/b; echo $?
kill $p; wait $p; echo $?
