# needs: redis-server redis-cli redis-benchmark
redis-server --port 18118 --save '' --appendonly yes --dir $PWD --io-threads 3 > /dev/null &
p=$!
sleep 1
redis-benchmark -q -p 18118 -n 4000 -c 20 -t set,get,lpush,hset,zadd >/dev/null
redis-cli -p 18118 bgsave
sleep 2
redis-cli -p 18118 flushall async
sleep 2
redis-cli -p 18118 shutdown nosave
wait $p
echo $?
