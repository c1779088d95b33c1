# needs: hg svn svnserve svnadmin fossil
export HGUSER=a
hg init h; cd h; for i in 1 2 3; do seq $i > f; hg add -q f; hg commit -q -d "$i 0" -m $i; done; hg log -T '{rev} {node|short}\n'; hg verify -q; echo $?; cd ..
hg clone -q h i; echo $?
svnadmin create s; printf '[general]\nanon-access = write\n' > s/conf/svnserve.conf
svnserve -d --foreground -T --listen-host 127.0.0.1 --listen-port 18690 -r "$PWD" &
p=$!
sleep 2
svn co -q svn://127.0.0.1:18690/s w; echo $?
cd w; for i in 1 2 3; do seq $i > f; svn add -q f 2>/dev/null; svn ci -q -m $i; done; svn up -q; svn log -q 2>/dev/null | grep -c '^r'; cd ..
kill $p; wait $p; echo $?
export USER=a; fossil init x.fossil >/dev/null; echo $?
mkdir y; cd y; fossil open ../x.fossil >/dev/null; seq 10 > g; fossil add g; fossil commit -m x >/dev/null 2>&1; echo $?; fossil close; echo $?
