# needs: sort python3
(ulimit -v 300000; seq 100000 | sort -r | head -1); echo $?
(ulimit -n 12; seq 1000 | sort -r | head -1; sh -c 'echo n | cat'); echo $?
(ulimit -u 4000; ulimit -s 256; seq 1000 | sort -r | head -1); echo $?
(ulimit -f 8; seq 100000 > big 2>/dev/null; ls -l big | cut -d' ' -f5); echo $?
mkdir ro; cd ro; chmod 555 .; setpriv --reuid 65534 --regid 65534 --clear-groups sh -c 'echo q | sort'; echo $?
(ulimit -v 400000; python3 -c 'print(sum(range(1000)))'); echo $?
