# shellcheck shell=bash disable=SC2154
# A live view, looked at in pieces.

"$wh" run --set blocked=1h "$progs/leaky_range" >/dev/null 2>&1 &
runner=$!
target=
found() {
	target=$("$wh" list 2>/dev/null | awk '/leaky_range/ { for (i = 1; i <= NF; i++) if ($i ~ /^[0-9]+$/) { print $i; exit } }')
	[ -n "$target" ]
}
if soon found; then
	comes 0 'pthread_rwlock_wrlock: rwlock sessions.lock, held by thread 2 "reader"' "$wh" top --batch -n 1 "$target"
	gives 0 'iterator "sessions" of thread 2 "reader"' "$wh" top -b -n 1 "$target"
	gives 0 'live memory, by the place' "$wh" top -b -n 2 -d 50ms "$target"
	holds 'top looks as often as it is told to' test "$(grep -c '^leaky_range (pid' "$place/out")" = 2
	kill -KILL "$target"
else
	bad 'leaky_range is not listed'
fi
wait $runner 2>/dev/null
gives 2 'wants a pid' "$wh" top
gives 2 'is not a pid' "$wh" top no-such-thing
gives 2 'number of looks' "$wh" top -n 0 1
gives 2 'duration from' "$wh" top -d 1 1
gives 125 'does not run under whoholds; start it with' "$wh" top $$
gives 125 'does not run under whoholds; start it with' "$wh" leaks $$
