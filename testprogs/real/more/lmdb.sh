# needs: mdb_load mdb_dump mdb_copy mdb_stat
mkdir d e
(printf 'VERSION=3\nformat=print\ntype=btree\nmapsize=10485760\nHEADER=END\n'; for i in $(seq 1000); do echo " k$i"; echo " v$i"; done; echo DATA=END) | mdb_load d; echo $?
mdb_copy -c d e; echo $?
mdb_dump -p e | wc -l
mdb_stat e | grep Entries
