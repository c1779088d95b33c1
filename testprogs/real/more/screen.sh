# needs: screen
export SCREENDIR=$PWD/s
mkdir -m 700 s
screen -dmS w sh -c 'echo in > out; sleep 2'
for i in $(seq 50); do [ -s out ] && break; sleep 0.1; done
cat out
screen -ls | grep -c '\.w'
screen -S w -X quit
echo done
