# needs: unshare setpriv
unshare -r sh -c 'id -u; echo b | sort'
echo $?
unshare -rmpf --mount-proc sh -c 'ps ax | wc -l; mount -t tmpfs t /proc; echo c | sort'
echo $?
setpriv --reuid 65534 --regid 65534 --clear-groups --no-new-privs sh -c 'id -u; echo d | sort'
echo $?
