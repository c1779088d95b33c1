# needs: slapd ldapadd ldapsearch
mkdir db
cat > s.conf <<EOF
include /etc/ldap/schema/core.schema
modulepath /usr/lib/ldap
moduleload back_mdb
database mdb
suffix "dc=x"
rootdn "cn=a,dc=x"
rootpw s
directory $PWD/db
EOF
slapd -d 0 -f s.conf -h ldap://127.0.0.1:18133/ >/dev/null 2>&1 &
p=$!
for i in $(seq 50); do ldapsearch -x -H ldap://127.0.0.1:18133/ -b '' -s base >/dev/null 2>&1 && break; sleep 0.1; done
printf 'dn: dc=x\nobjectClass: dcObject\nobjectClass: organization\no: x\ndc: x\n' > e.ldif
for i in $(seq 200); do printf '\ndn: ou=u%d,dc=x\nobjectClass: organizationalUnit\nou: u%d\n' $i $i; done >> e.ldif
ldapadd -x -H ldap://127.0.0.1:18133/ -D cn=a,dc=x -w s -f e.ldif | grep -c adding
for i in 1 2 3 4; do (for j in 1 2 3; do ldapsearch -x -LLL -H ldap://127.0.0.1:18133/ -b dc=x ou | grep -c ^dn; done) & q="$q $!"; done
wait $q
kill -INT $p
wait $p
echo $?
