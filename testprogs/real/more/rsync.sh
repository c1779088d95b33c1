# needs: rsync
mkdir -p a
seq 1000 > a/x
rsync -a a/ b/
cksum b/x
tar cf - a | tar tf -
find . -name x | sort
