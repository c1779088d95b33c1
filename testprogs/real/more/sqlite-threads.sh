# needs: python3
python3 -c "
import sqlite3,threading
def f(i):
    c=sqlite3.connect('x.db',timeout=60,isolation_level=None)
    for j in range(100): c.execute('insert into t values(?,?)',(i,j))
    c.close()
c=sqlite3.connect('x.db'); c.execute('pragma journal_mode=wal'); c.execute('create table t(a,b)'); c.close()
ts=[threading.Thread(target=f,args=(i,)) for i in range(6)]; [t.start() for t in ts]; [t.join() for t in ts]
c=sqlite3.connect('x.db'); print(c.execute('select count(*) from t').fetchone())
"
