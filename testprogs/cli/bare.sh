# shellcheck shell=bash disable=SC2154
# Processes that do not run under whoholds.

# bare COMMAND...
bare() {
	"$@" >"$place/printed" 2>&1 &
	bare=$!
}

if [ -r /proc/self/syscall ] && grep -q . /proc/self/syscall 2>/dev/null; then
	bare "$progs/abba"
	comes 9 'deadlock: .*"first" and .*"second"' "$wh" dump --error-exitcode=9 $bare
	gives 0 'does not run under whoholds' "$wh" dump $bare
	gives 0 'waits in pthread_mutex_lock for mutex b, held by thread 3 "second"' "$wh" dump $bare
	gives 0 'take_both +abba\.c:' "$wh" dump $bare
	kill -STOP $bare
	# Each thread wakes up to stop.
	comes 0 'deadlock: ' "$wh" dump $bare
	kills $bare
	bare "$progs/join_deadlock"
	comes 0 'deadlock: .*"boss" and .*"worker"' "$wh" dump $bare
	kills $bare
	bare "$progs/rwlock_deadlock"
	comes 0 'waits in futex|waits in pthread_rwlock' "$wh" dump $bare
	kills $bare
else
	skip 'threads of bare processes' '/proc/PID/syscall is closed here'
fi
bare sleep 600
comes 0 'clock_nanosleep|nanosleep' "$wh" dump $bare
gives 0 '"trigger":"request"' "$wh" dump --format=json $bare
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	chmod 755 "$place"
	gives 125 'cannot look into process' setpriv --reuid=65534 --regid=65534 --clear-groups "$wh" dump $bare
fi
kills $bare
# shellcheck disable=SC2016 # for the inner shell
bare sh -c 'sleep 600 & echo $!; exec sleep 600'
# Its child ends when the shell, which would have waited for it, is no more.
soon grep -q sleep "/proc/$bare/comm"
zombie=$(cat "$place/printed")
kill -KILL "$zombie"
soon grep -q '^State:.Z' "/proc/$zombie/status"
gives 125 'zombie' "$wh" dump "$zombie"
kills $bare
if [ "$(cat /proc/2/comm)" = kthreadd ]; then
	gives 125 'kernel thread' "$wh" dump 2
fi
