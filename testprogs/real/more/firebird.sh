# needs: firebird isql-fb
printf "create database 'localhost:x';\n" > /dev/null
mkdir -p lock; export FIREBIRD_LOCK=$PWD/lock FIREBIRD_TMP=$PWD
cat > q <<'EOF'
create database 'a.fdb';
create table t(a int, b varchar(20));
commit;
set term ^;
execute block as declare i int = 0; begin while (i < 5000) do begin insert into t values(:i, 'v' || :i); i = i + 1; end end^
set term ;^
commit;
create index ti on t(a);
select count(*), sum(a) from t where a between 100 and 4000;
EOF
isql-fb -q -i q
echo $?
