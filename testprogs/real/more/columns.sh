# needs: groonga ogr2ogr rg xorriso nim
groonga -n db status >/dev/null; echo $?
groonga db table_create T TABLE_HASH_KEY ShortText >/dev/null
for i in $(seq 20); do groonga db load --table T --values "'[{\"_key\":\"k$i\"}]'" >/dev/null; done; groonga db select T --limit 0 | grep -o '\[20\]'
printf 'x,y,n\n1,2,a\n3,4,b\n' > p.csv
ogr2ogr -f GeoJSON p.json p.csv -oo X_POSSIBLE_NAMES=x -oo Y_POSSIBLE_NAMES=y; echo $?; wc -l < p.json
mkdir t; for i in $(seq 200); do seq $i > t/$i; done
rg -j 3 -c '^42$' t | wc -l
xorriso -as mkisofs -quiet -o a.iso t 2>/dev/null; echo $?
printf 'import std/[threadpool]\nproc f(n: int): int = (for i in 1..n: result += i)\nvar r: seq[FlowVar[int]]\nfor i in 1..8: r.add(spawn f(i * 1000))\nvar s = 0\nfor x in r: s += ^x\necho s\n' > a.nim
nim c --hints:off --warnings:off --threads:on --nimcache:nc -r a.nim 2>/dev/null; echo $?
