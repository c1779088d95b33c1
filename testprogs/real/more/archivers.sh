# needs: mksquashfs unsquashfs pigz pbzip2 7z
seq 300000 > a
mkdir d; cp a d; seq 1000 > d/b
mksquashfs d d.sqfs -quiet -no-progress -processors 3 >/dev/null; echo $?
unsquashfs -quiet -no-progress -processors 3 -d e d.sqfs >/dev/null; echo $?
cmp a e/a; echo $?
pigz -p 3 -c a | pigz -p 3 -dc | cmp - a; echo $?
pbzip2 -p3 -c a | pbzip2 -p3 -dc | cmp - a; echo $?
7z a -mmt3 x.7z a >/dev/null; echo $?
7z x -so x.7z 2>/dev/null | cmp - a; echo $?
