# needs: psql pgbench runuser
PGB=/usr/lib/postgresql/15/bin
chmod 755 .
mkdir d
chown postgres d
runuser -u postgres -- $PGB/initdb -D d -A trust >/dev/null 2>&1
runuser -u postgres -- env LD_PRELOAD="$LD_PRELOAD" $PGB/pg_ctl -D d -o "-p 18121 -k $PWD/d" -l d/log -w start >/dev/null
psql -h $PWD/d -p 18121 -U postgres -Atc 'create table t(a int); insert into t select generate_series(1,50000); create index on t(a); select count(*) from t'
pgbench -h $PWD/d -p 18121 -U postgres -i -q postgres >/dev/null 2>&1
pgbench -h $PWD/d -p 18121 -U postgres -c 4 -T 4 postgres 2>/dev/null | grep -c tps
runuser -u postgres -- $PGB/pg_ctl -D d -m fast -w stop > /dev/null
echo $?
