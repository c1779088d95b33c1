# needs: strace
strace -f -e trace=execve -o t sh -c 'echo a; (echo b) | cat; sleep 0.1'; echo $?
grep -c execve t
strace -c -o t2 true; echo $?
