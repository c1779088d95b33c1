# needs: python3
python3 -c "
import threading,queue,subprocess,sqlite3,asyncio,concurrent.futures as f,json,re,decimal,ssl,zlib,ctypes
q=queue.Queue(); ts=[threading.Thread(target=lambda:[q.get() for _ in range(100)]) for _ in range(4)]; [t.start() for t in ts]; [q.put(i) for i in range(400)]; [t.join() for t in ts]
print(sum(f.ThreadPoolExecutor(4).map(lambda x:x*x,range(100))))
c=sqlite3.connect(':memory:'); c.execute('create table t(a)'); c.executemany('insert into t values(?)',[(i,) for i in range(1000)]); print(c.execute('select sum(a) from t').fetchone())
async def m():
    await asyncio.gather(*[asyncio.sleep(0.01) for _ in range(100)])
asyncio.run(m()); print(subprocess.check_output(['echo','x']))
with f.ProcessPoolExecutor(2) as e: print(list(e.map(abs,range(-3,3))))
"
