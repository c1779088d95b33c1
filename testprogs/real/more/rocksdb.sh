# needs: ldb db_bench sst_dump
for i in $(seq 20); do echo "key$i ==> value$i"; done | ldb --db=$PWD/d load --create_if_missing
ldb --db=$PWD/d put a b
ldb --db=$PWD/d get a
ldb --db=$PWD/d scan | wc -l
ldb --db=$PWD/d compact
db_bench --db=$PWD/b --benchmarks=fillrandom,readrandom,compact --num=20000 --threads=4 --max_background_jobs=4 >/dev/null 2>&1
echo $?
sst_dump --file=$PWD/b --command=check 2>/dev/null | grep -c sst
