# needs: mariadbd mariadb-install-db
mkdir d
chown mysql d
chmod 755 .
mariadb-install-db --no-defaults --user=mysql --datadir=$PWD/d --auth-root-authentication-method=normal >/dev/null 2>&1
mariadbd --no-defaults --user=mysql --datadir=$PWD/d --socket=$PWD/s --port=18122 --bind-address=127.0.0.1 >/dev/null 2>&1 &
p=$!
for i in $(seq 100); do mariadb-admin -S $PWD/s ping >/dev/null 2>&1 && break; sleep 0.2; done
mariadb -S $PWD/s -e 'create database x; use x; create table t(a int primary key, b varchar(50)); insert into t select seq, concat("v",seq) from seq_1_to_20000; select count(*) from t; update t set b="y" where a%2=0; select count(distinct b) from t'
mariadb-slap -S $PWD/s --concurrency=4 --iterations=2 --auto-generate-sql --number-of-queries=500 2>/dev/null | grep -c Average
sleep 3
mariadb-admin -S $PWD/s shutdown
wait $p
echo $?
