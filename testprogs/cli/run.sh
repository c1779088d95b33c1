# shellcheck shell=bash disable=SC2154,SC2016
# What a run leaves, tells, and lets go of.

ends() { # ends FILE: trigger, program and number of findings of each report
	python3 - "$1" <<'P'
import json, os, sys
for line in open(sys.argv[1]):
    report = json.loads(line)
    print(report["trigger"], os.path.basename(report["process"]["argv"][0]), len(report["findings"]))
P
}

gives 0 '' "$wh" run --json="$place/run.json" sh -c '/bin/true; /bin/echo; exec /bin/cat /dev/null'
holds 'each process of a run has its report, in the order of their ends' \
	test "$(ends "$place/run.json" | tr '\n' ';')" = 'exit true 0;exit echo 0;exit cat 0;'
holds 'and none is left of its recording' test -z "$(ls "$WHOHOLDS_DIR")"

gives 0 '"trigger":"exit"' "$wh" run --format=json -o - true
gives 0 'nothing found' "$wh" run -v true
gives 137 '' "$wh" run --json="$place/run.json" sh -c 'kill -KILL $$'
holds 'a killed process is told as a crash, with its signal' grep -q '"trigger":"crash".*"signal":9' "$place/run.json"

# Told while it hangs, once; its end is one line that does not repeat it.
rm -f "$place/run.json"
"$wh" run --json="$place/run.json" --set blocked=200ms --set tick=20ms "$progs/leaky_range" >/dev/null 2>"$place/err" &
run=$!
soon test -s "$place/run.json"
holds 'a threshold is told while the program hangs' test "$(ends "$place/run.json" | head -n 1)" = 'threshold leaky_range 1'
kill -TERM $run
wait $run
holds 'its status is that of the signal' test $? = 143
holds 'the end is told without repetition' test "$(grep -c 'stuck-holder:' "$place/err")" = 1
holds 'in one line' grep -q 'leaky_range (pid [0-9]*) ended, killed by signal 15 .*; 1 finding was reported above' "$place/err"
holds 'the report of the end has it all' test "$(ends "$place/run.json" | tail -n 1)" = 'crash leaky_range 1'

# Many processes that end with the same: told once, counted, and in JSON each for itself. With -v all of them are told.
rm -f "$place/run.json"
"$wh" run --json="$place/run.json" sh -c "for i in 1 2 3 4; do '$progs/leak_exit'; done; '$progs/leak_three'" >/dev/null 2>"$place/err"
holds 'equal reports are told once' test "$(grep -c '^whoholds: leak_exit (pid' "$place/err")" = 1
holds 'and counted' grep -Eq '^whoholds: the same in 3 more processes of leak_exit: [0-9]+ findings? each, .* lost in them$' "$place/err"
holds 'another program is told for itself' test "$(grep -c '^whoholds: leak_three (pid' "$place/err")" = 1
holds 'JSON has a report for each' test "$(ends "$place/run.json" | grep -c 'exit leak_exit [1-9]')" = 4
"$wh" run -v sh -c "for i in 1 2 3; do '$progs/leak_exit'; done" >/dev/null 2>"$place/err"
holds 'with -v nothing is folded' test "$(grep -c '^whoholds: leak_exit (pid' "$place/err")" = 3

# A process that outlives the run serves itself from then on.
gives 0 '' "$wh" run --set blocked=200ms --set tick=20ms --set log="$place/daemon.log" \
	sh -c "setsid '$progs/leaky_range' >/dev/null 2>&1 & echo \$! >'$place/pid'"
pid=$(cat "$place/pid")
comes 0 'leaky_range +live' "$wh" list
soon grep -q stuck-holder "$place/daemon.log"
holds 'a daemon reports by itself when the command is gone' grep -q stuck-holder "$place/daemon.log"
gives 0 'stuck-holder' "$wh" dump "$pid"
kill -KILL "$pid"
comes 0 'leaky_range +killed' "$wh" list
gives 0 'stuck-holder' "$wh" report "$WHOHOLDS_DIR"/leaky_range.*.whr
gives 0 'stuck-holder' "$wh" report "$pid"
gives 125 'left a recording' "$wh" dump "$pid"
rm -f "$WHOHOLDS_DIR"/*.whr

# What removes the recording that a process hides before it becomes another program is that program.
if printf 'int main(void) { return 0; }' | gcc -static -x c -o "$place/bare" - 2>/dev/null; then
	gives 0 '' "$wh" run sh -c "'$place/bare'; for i in 1 2 3; do '$place/bare'; done; exec '$place/bare'"
	holds 'nothing stays behind of processes that became static programs' test -z "$(ls -A "$WHOHOLDS_DIR")"
else
	skip 'processes that become static programs' 'gcc -static does not work here'
fi
# A worker that has given up its rights may not remove what it made.
if [ "$(id -u)" = 0 ]; then
	gives 0 '' "$wh" run /usr/bin/python3 -c 'import os; os.setgid(65534); os.setuid(65534)'
	holds 'nor of one that gave up its rights' test -z "$(ls -A "$WHOHOLDS_DIR")"
fi

gives 0 'kept the recording' "$wh" run --keep true
gives 0 'nothing found' "$wh" report -v "$WHOHOLDS_DIR"/true.*.whr
rm -f "$WHOHOLDS_DIR"/*.whr

# Sources of options, the nearest first.
printf 'depth = 3\nheld = 3s\ntick = 30ms\n' >"$place/config"
gives 0 '' env WHOHOLDS_OPTIONS=held=2s:tick=20ms "$wh" run --config="$place/config" --set tick=10ms \
	sh -c 'echo "$WHOHOLDS_OPTIONS" >"$0"' "$place/options"
holds 'command line before environment before file' test "$(cat "$place/options")" = 'depth=3:tick=10ms:held=2000ms'
gives 2 'WHOHOLDS_OPTIONS.*bloked.*blocked' env WHOHOLDS_OPTIONS=bloked=1s "$wh" run true
holds 'a preload that is there already stays, behind the library' \
	test "$(LD_PRELOAD=libc.so.6 "$wh" run sh -c 'echo "$LD_PRELOAD"')" = "$build/lib/libwhoholds.so:libc.so.6"
gives 0 'recording in the standard directory' env WHOHOLDS_DIR=/proc/none "$wh" run true

gives 9 '' "$wh" run --error-exitcode=9 --gen-suppressions="$place/all.supp" "$progs/unclosed"
gives 0 '' "$wh" run --error-exitcode=9 --suppressions="$place/all.supp" "$progs/unclosed"
gives 1 '' "$wh" run --fail-on=thread-leak "$progs/thread_leak"
gives 0 'No space left' "$wh" run -o /dev/full "$progs/unclosed"
gives 125 'No space left' sh -c '"$0" help >/dev/full' "$wh"
gives 2 'same file' "$wh" run -o "$place/x" --json="$place/x" true

# Names of two processes of the same program never meet in one file.
mkdir "$place/each"
gives 0 '' "$wh" run --json="$place/each/%n-%p-%%.json" sh -c '/bin/true; /bin/true'
holds 'a file a process' test "$(find "$place/each" -name '*-%.json' | wc -l)" = 3

# Without the command every process reports by itself, into one file, and none wipes out what another wrote.
LD_PRELOAD=$build/lib/libwhoholds.so WHOHOLDS_OPTIONS=json=$place/self.json:blocked=200ms:tick=20ms \
	sh -c "'$progs/unclosed'; exec '$progs/leaky_range'" >/dev/null 2>&1 &
self=$!
both_told() {
	[ "$(ends "$place/self.json" | grep -c -e 'exit unclosed 2' -e 'threshold leaky_range 1')" = 2 ]
}
holds 'processes that nobody watches report into one file' soon both_told
kills $self
rm -f "$WHOHOLDS_DIR"/*.whr
