# shellcheck shell=bash disable=SC2154
# Processes that do not run under whoholds.

# bare PROGRAM: starts it and waits until it has said all that it says
bare() {
	"$progs/$1" >"$place/printed" 2>&1 &
	bare=$!
	sleep 0.5
}
# gone: ends what bare started
gone() {
	kill -KILL $bare
	wait $bare 2>/dev/null
}

if [ -r /proc/self/syscall ] && grep -q . /proc/self/syscall 2>/dev/null; then
	bare abba
	gives 0 'does not run under whoholds' "$wh" dump $bare
	gives 9 'deadlock: .*"first" and .*"second"' "$wh" dump --error-exitcode=9 $bare
	gives 0 'waits in pthread_mutex_lock for mutex b, held by thread 3 "second"' "$wh" dump $bare
	gives 0 'take_both +abba\.c:' "$wh" dump $bare
	kill -STOP $bare
	gives 0 'deadlock: ' "$wh" dump $bare
	gone
	bare join_deadlock
	gives 0 'deadlock: .*"boss" and .*"worker"' "$wh" dump $bare
	gone
	bare rwlock_deadlock
	gives 0 'waits in futex|waits in pthread_rwlock' "$wh" dump $bare
	gone
else
	skip 'threads of bare processes' '/proc/PID/syscall is closed here'
fi
sleep 30 &
bare=$!
sleep 0.2
gives 0 'clock_nanosleep|nanosleep' "$wh" dump $bare
gives 0 '"trigger":"request"' "$wh" dump --format=json $bare
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	chmod 755 "$place"
	gives 125 'cannot look into process' setpriv --reuid=65534 --regid=65534 --clear-groups "$wh" dump $bare
fi
gone
sh -c 'sleep 0.05 & exec sleep 3' &
bare=$!
sleep 0.5
zombie=$(ps -o pid= --ppid $bare | tr -d ' ')
gives 125 'zombie' "$wh" dump "$zombie"
gone
if [ "$(cat /proc/2/comm)" = kthreadd ]; then
	gives 125 'kernel thread' "$wh" dump 2
fi
