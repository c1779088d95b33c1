#!/bin/bash
# usage: scripts/cli-test.sh BUILD
#
# The command's contract: exit codes, messages, bad options, bad files, programs that can't be
# preloaded into, recordings that are cut short, of another version or hostile.
set -u
cd "$(dirname "$0")/.." || exit 1
build=$(realpath "$1")
wh=$build/bin/whoholds
progs=$build/testprogs
passed=0 failed=0 skipped=0
place=$(mktemp -d /tmp/cli.XXXXXX)
chmod 755 "$place"
trap 'rm -rf "$place"' EXIT
mkdir -m 700 "$place/dir"
export WHOHOLDS_DIR=$place/dir LC_ALL=C.UTF-8
unset WHOHOLDS_OPTIONS LD_PRELOAD NO_COLOR

bad() {
	failed=$((failed + 1))
	echo "  FAIL $1"
	[ ! -s "$place/err" ] || head -n 3 "$place/err" | sed 's/^/       stderr: /'
}
skip() {
	skipped=$((skipped + 1))
	echo "  skip $1: $2"
}
# gives STATUS PATTERN COMMAND...: ends with STATUS; PATTERN (extended, "" for any) is on one of its outputs
gives() {
	local wanted=$1 pattern=$2 status
	shift 2
	timeout -k 1 30 "$@" >"$place/out" 2>"$place/err" </dev/null
	status=$?
	if [ "$status" != "$wanted" ]; then
		bad "status $status, not $wanted: ${*##*/}"
	elif [ -n "$pattern" ] && ! grep -qE -- "$pattern" "$place/out" "$place/err"; then
		bad "says nothing like '$pattern': ${*##*/}"
	else
		passed=$((passed + 1))
	fi
}
# soon COMMAND...: waits until it succeeds, for what takes its time, however long on a busy machine
soon() {
	local end=$((SECONDS + 60))
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.05
	done
}
# comes STATUS PATTERN COMMAND...: as `gives`, once it does
comes() {
	soon answers "$@"
	gives "$@"
}
answers() {
	local wanted=$1 pattern=$2 status
	shift 2
	timeout -k 1 30 "$@" >"$place/answer" 2>&1 </dev/null
	status=$?
	[ $status = "$wanted" ] && grep -qE -- "$pattern" "$place/answer"
}
# kills PID...: without a word of the shell about it
kills() {
	kill -KILL "$@"
	wait "$@"
} 2>/dev/null
# holds NAME COMMAND...
holds() {
	local name=$1
	shift
	if "$@" >/dev/null 2>&1; then passed=$((passed + 1)); else bad "$name"; fi
}

# -- the program's status is the command's ----------------------------------------
gives 0 '' "$wh" run true
gives 1 '' "$wh" run -- false
gives 42 '' "$wh" run sh -c 'exit 42'
# shellcheck disable=SC2016 # for the inner shell
for signal in KILL:137 SEGV:139 TERM:143 ABRT:134; do
	gives "${signal#*:}" '' "$wh" run bash -c "ulimit -c 0; kill -${signal%:*} \$\$"
done
gives 0 '^hello$' "$wh" run sh -c 'echo hello'
holds 'nothing is added to the output of a program without findings' test "$(cat "$place/out" "$place/err")" = hello
holds 'standard input is passed on' test "$(echo word | "$wh" run cat)" = word
holds 'arguments are passed on as they are' test "$("$wh" run printf '%s|' 'a b' '' '*' --set -- -v)" = 'a b||*|--set|--|-v|'
holds 'behind -- as well' test "$("$wh" run -- printf '%s|' -v x)" = '-v|x|'

# shellcheck disable=SC2016
"$wh" run sh -c 'trap "exit 5" TERM; echo up; while :; do sleep 0.05; done' >"$place/out" 2>"$place/err" &
run=$!
soon grep -q up "$place/out"
kill -TERM $run
wait $run
status=$?
holds 'a signal is passed on to the program' test $status = 5

# -- findings and the exit code ------------------------------------------------------
gives 0 'held-at-exit' "$wh" run "$progs/thread_exit_locked"
gives 9 'held-at-exit' "$wh" run --error-exitcode=9 "$progs/thread_exit_locked"
gives 0 '' "$wh" run --error-exitcode=9 "$progs/thread_leak"
gives 9 'thread-leak' "$wh" run --error-exitcode=9 --fail-on=thread-leak "$progs/thread_leak"
gives 9 'thread-leak' "$wh" run --error-exitcode=9 --fail-on=warning "$progs/thread_leak"
gives 9 'held-at-exit' "$wh" run --error-exitcode=9 sh -c "$progs/thread_exit_locked; exit 0"
echo 'held-at-exit:update' >"$place/supp"
gives 0 '' "$wh" run --error-exitcode=9 --suppressions="$place/supp" "$progs/thread_exit_locked"
holds 'a suppressed finding is not in the report' test -z "$(cat "$place/err")"
gives 0 '' "$wh" run --json="$place/%n.%p.json" "$progs/thread_exit_locked"
holds '%n and %p in an output name' test -n "$(find "$place" -name 'thread_exit_locked.*.json')"
gives 0 '' "$wh" run -o "$place/text" "$progs/thread_exit_locked"
holds '-o takes the text report' grep -q held-at-exit "$place/text"
holds 'and leaves standard error alone' test ! -s "$place/err"
holds 'no recordings are left' test -z "$(ls "$WHOHOLDS_DIR")"

# -- wrong usage: 2, and the cause is named -------------------------------------------
gives 2 'run|usage' "$wh"
gives 2 'nonsense' "$wh" nonsense
gives 2 'PROGRAM|program' "$wh" run
gives 2 '--nonsense' "$wh" run --nonsense true
gives 2 'nokey' "$wh" run --set nokey=1 true
gives 2 'blocked.*abc|abc.*blocked' "$wh" run --set blocked=abc true
gives 2 'blocked' "$wh" run --set blocked= true
gives 2 'blocked' "$wh" run --set blocked=99999999999999999999999h true
gives 2 'depth.*0|0.*depth' "$wh" run --set depth=0 true
gives 2 'depth' "$wh" run --set depth=-1 true
gives 2 'tick' "$wh" run --set tick=1e9 true
gives 2 '' "$wh" run --set
gives 2 '' "$wh" run --set '=' true
gives 2 'nofmt' "$wh" run --format=nofmt true
gives 2 'color' "$wh" run --color=purple true
gives 2 'error-exitcode' "$wh" run --error-exitcode=999 true
gives 2 'error-exitcode' "$wh" run --error-exitcode=x true
gives 2 'no-such-kind' "$wh" run --error-exitcode=1 --fail-on=no-such-kind true
gives 2 '' "$wh" report
gives 2 '' "$wh" dump
gives 2 '' "$wh" leaks
gives 2 '' "$wh" help no-such-topic
gives 0 '0\.1\.0' "$wh" --version
gives 0 'run' "$wh" --help
gives 0 'blocked' "$wh" help options
gives 0 'deadlock' "$wh" help kinds
gives 0 'wait' "$wh" help deadlock
gives 0 '--json' "$wh" help run
gives 0 '' "$wh" list
printf 'blocked = 1s\nnonsense = 2\n' >"$place/config"
gives 2 'config:2|config.*line 2' "$wh" run --config="$place/config" true
printf '[pair "x"]\nacquire = f handle = arg9\nrelease = g handle = arg1\n' >"$place/pairs"
gives 2 'pairs:2: .*arg1 to arg6' "$wh" run --config="$place/pairs" true
gives 0 'pairs:2: .*arg1 to arg6' env WHOHOLDS_OPTIONS="pairs=$place/pairs" LD_PRELOAD="$build/lib/libwhoholds.so" true
printf 'blocked = 1s\n[pair "x"]\nacquire = f handle = ret\nrelease = g handle = arg1\n' >"$place/pairs"
gives 0 '' "$wh" run --config="$place/pairs" true
gives 2 'none.conf' "$wh" run --config="$place/none.conf" true
gives 2 'none.supp' "$wh" run --suppressions="$place/none.supp" true
printf 'leak:a\nno colon here\n' >"$place/bad.supp"
gives 2 'bad.supp:2|bad.supp.*line 2' "$wh" run --suppressions="$place/bad.supp" true
printf 'blocked = 1s\n' >"$place/config"
gives 0 '' "$wh" run --config="$place/config" true
gives 125 'none' "$wh" run --json="$place/none/file" true
gives 0 'nokey' env WHOHOLDS_OPTIONS=nokey=1 LD_PRELOAD="$build/lib/libwhoholds.so" true
holds 'a mistake in the environment is one line' test "$(wc -l <"$place/err")" = 1

# -- programs that can't be run, or not preloaded into ---------------------------------
gives 127 'no-such-program' "$wh" run no-such-program
gives 127 'no-such' "$wh" run "$place/no-such"
echo 'not a program' >"$place/text-file"
gives 126 'text-file' "$wh" run "$place/text-file"
gives 126 '' "$wh" run "$place"
cat >"$place/p.c" <<'C'
#include <unistd.h>
int main(void) { return write(1, "ran\n", 4) != 4; }
C
if gcc -static -o "$place/static" "$place/p.c" 2>/dev/null; then
	gives 126 'static' "$wh" run "$place/static"
else
	skip 'a static program' 'gcc -static does not work here'
fi
gcc -o "$place/plain" "$place/p.c"
cp "$place/plain" "$place/setuid"
if [ "$(id -u)" = 0 ]; then
	chown 65534 "$place/setuid"
	chmod 4755 "$place/setuid"
	gives 126 'setuid|set-user' "$wh" run "$place/setuid"
elif [ -u /bin/su ] && [ -r /bin/su ]; then
	# Only root can make one of another user.
	gives 126 'setuid|set-user' "$wh" run /bin/su --version
else
	skip 'a setuid program' 'no /bin/su, and only root can make one of another user'
fi
# They are refused before they run: neither needs its C library.
printf 'int _start(void) { return 0; }\n' >"$place/start.c"
if gcc -m32 -nostdlib -pie -fPIE -Wl,-dynamic-linker,/lib/ld-linux.so.2 -o "$place/small" "$place/start.c" 2>/dev/null; then
	gives 126 '32' "$wh" run "$place/small"
else
	skip 'a 32-bit program' 'gcc -m32 does not work here'
fi
if gcc -Wl,-dynamic-linker,/lib/ld-musl-x86_64.so.1 -o "$place/musl" "$place/p.c" 2>/dev/null; then
	gives 126 'musl' "$wh" run "$place/musl"
else
	skip 'a musl program' 'gcc takes no other dynamic linker'
fi
printf "int main(void) { return 0; }\n" >"$place/san.c"
if gcc -fsanitize=address -o "$place/san" "$place/san.c" 2>/dev/null; then
	gives 126 "sanitizer" "$wh" run "$place/san"
else
	skip "a program with AddressSanitizer" "gcc has no runtime of it here"
fi
head -c 100 "$place/plain" >"$place/cut"
chmod +x "$place/cut"
gives 126 'cut' "$wh" run "$place/cut"
printf '#!/bin/sh\necho script\n' >"$place/script"
chmod +x "$place/script"
gives 0 'script' "$wh" run "$place/script"
printf '#!%s\n' "$place/no-interpreter" >"$place/script"
status=0
"$wh" run "$place/script" >/dev/null 2>"$place/err" || status=$?
holds 'a script whose interpreter is not there' test $status = 127 -o $status = 126
# The library is not where it should be.
mkdir -p "$place/lonely/bin"
cp "$wh" "$place/lonely/bin/"
[ -e /usr/local/lib/libwhoholds.so ] || gives 125 'libwhoholds.so' "$place/lonely/bin/whoholds" run true
holds 'the current directory is not searched for the library' sh -c "cd '$build/lib' && ! '$place/lonely/bin/whoholds' run true"

# -- pids and recordings ---------------------------------------------------------------
gives 2 'abc' "$wh" dump abc
gives 125 '999999999|no such' "$wh" dump 999999999
gives 2 'abc' "$wh" leaks abc
gives 125 '' "$wh" leaks 999999999
gives 125 'none.whr' "$wh" report "$place/none.whr"
gives 125 'text-file' "$wh" report "$place/text-file"
gives 125 '' "$wh" report "$place"
: >"$place/empty.whr"
gives 125 'empty.whr' "$wh" report "$place/empty.whr"
sleep 60 &
sleeper=$!
gives 0 "$sleeper" "$wh" dump $sleeper
gives 125 'not run under whoholds' "$wh" leaks $sleeper
kills $sleeper

# What a search tells of besides lost memory.
LD_PRELOAD=$build/lib/libwhoholds.so "$progs/orphan_thread" 120000 >/dev/null 2>&1 &
asleep=$!
comes 5 'orphan-thread: 3 threads .* nothing alive can ever wake them' "$wh" leaks --error-exitcode=5 $asleep
kills $asleep
rm -f "$WHOHOLDS_DIR"/orphan_thread.*

# Who falls asleep at once can be asked all the same, whatever it waits for.
asleep_at_once() {
	LD_PRELOAD=$build/lib/libwhoholds.so "$@" >/dev/null 2>&1 &
	asleep=$!
	comes 0 'held still for' "$wh" leaks $asleep
	kills $asleep
	rm -f "$WHOHOLDS_DIR"/*.whr
}
asleep_at_once sleep 120
mkfifo "$place/silent"
sleep 120 >"$place/silent" &
writer=$!
asleep_at_once cat "$place/silent"
asleep_at_once sed p "$place/silent"
# What it reads is silent; a child of the shell's that has no job of its own would have no input.
for way in getc fgetc getchar getc_unlocked function_unlocked getchar_unlocked scanf fscanf cin; do
	# shellcheck disable=SC2016 # for the inner shell
	asleep_at_once sh -c 'exec "$0" "$1" <"$2"' "$progs/clean/reads_first" $way "$place/silent"
done
kills $writer

# Which descriptor is polled, where it is but one; never 0, which is what is asked about by nobody here.
for preload in '' "$build/lib/libwhoholds.so"; do
	LD_PRELOAD=$preload "$progs/clean/pollers" 120000 >/dev/null 2>&1 &
	asleep=$!
	comes 0 'waits in poll on fd [1-9]' "$wh" dump $asleep
	comes 0 'waits in poll, with a timeout' "$wh" dump $asleep
	comes 0 'waits in p?select, with a timeout' "$wh" dump $asleep
	holds 'fd 0 is no stand-in' test "$(grep -c 'on fd 0' "$place/out")" = 0
	kills $asleep
done
rm -f "$WHOHOLDS_DIR"/pollers.*

# What was left behind and can't be read is looked at once, however often the directory changes.
mkdir -m 700 "$place/leftovers"
head -c 3000 /dev/zero >"$place/leftovers/junk.77.whr"
: >"$place/leftovers/empty.78.whr"
touch -d '1 hour ago' "$place/leftovers"/*
if command -v strace >/dev/null && strace -o /dev/null true 2>/dev/null; then
	WHOHOLDS_DIR=$place/leftovers gives 0 '' strace -e trace=openat -o "$place/opened" "$wh" run sh -c 'sleep 0.3; sleep 0.3; sleep 0.3'
	holds 'leftovers are read once' test "$(grep -c 'leftovers/[a-z]*.7[78].whr' "$place/opened")" = 2
else
	skip 'leftovers are read once' 'no strace'
fi

WHOHOLDS_OPTIONS=keep=on LD_PRELOAD=$build/lib/libwhoholds.so "$progs/abba" >"$place/printed" 2>/dev/null &
hanging=$!
comes 0 'deadlock' "$wh" dump $hanging
gives 0 'first' "$wh" dump $hanging
gives 0 "$hanging" "$wh" list
comes 0 'held still for' "$wh" leaks $hanging
gives 0 '"search":' "$wh" leaks --format=json $hanging
gives 2 'takes one pid' "$wh" leaks $hanging $hanging
kill -STOP $hanging
gives 0 'second' "$wh" dump $hanging
kill -CONT $hanging
kills $hanging
whr=$(ls "$WHOHOLDS_DIR"/*.whr)
gives 0 'first' "$wh" report "$whr"
gives 0 'deadlock' "$wh" report "$whr"
gives 9 'deadlock' "$wh" report --error-exitcode=9 "$whr"
gives 0 'abba' "$wh" list
holds 'a recording is for its owner alone' test "$(stat -c %a "$whr")" = 600

# Cut short, of another version, and with bytes changed: a clear error or a report, never a crash.
survives() {
	local status
	[ -f "$1" ] || {
		bad "no recording was made $3"
		return
	}
	for cli in "$wh" "$build/san/bin/whoholds"; do
		[ -x "$cli" ] || continue
		timeout -k 1 30 "$cli" report --format="$2" "$1" >"$place/out" 2>"$place/err"
		status=$?
		if [ $status != 0 ] && [ $status != 125 ]; then
			bad "status $status of ${cli#"$build"/} report --format=$2, $3"
			cp --sparse=always "$1" "$build/crashed.whr"
			return
		fi
		if [ $status = 125 ] && [ "$(wc -l <"$place/err")" != 1 ]; then
			bad "an error of $(wc -l <"$place/err") lines, $3"
			return
		fi
	done
	passed=$((passed + 1))
}
size=$(stat -c %s "$whr")
for bytes in 1 100 4095 4096 4097 8192 65536 $((size / 2)) $((size - 1)); do
	# Recordings are sparse: whole copies would be hundreds of megabytes each.
	cp --sparse=always "$whr" "$place/cut.whr"
	truncate -s "$bytes" "$place/cut.whr"
	survives "$place/cut.whr" text "cut to $bytes bytes"
done
cp --sparse=always "$whr" "$place/version.whr"
printf '\377' | dd of="$place/version.whr" bs=1 seek=8 conv=notrunc 2>/dev/null
gives 125 'version' "$wh" report "$place/version.whr"
cp --sparse=always "$whr" "$place/magic.whr"
printf '\0' | dd of="$place/magic.whr" bs=1 seek=0 conv=notrunc 2>/dev/null
gives 125 '' "$wh" report "$place/magic.whr"
python3 - "$whr" "$place" <<'P'
import os, random, sys
# Most of a recording is holes: only what is between them is read and written.
size, parts, end = os.path.getsize(sys.argv[1]), [], 0
with open(sys.argv[1], "rb") as whole:
    while True:
        try:
            begin = os.lseek(whole.fileno(), end, os.SEEK_DATA)
        except OSError:
            break
        end = os.lseek(whole.fileno(), begin, os.SEEK_HOLE)
        parts.append((begin, os.pread(whole.fileno(), end - begin, begin)))
used = [begin + at for begin, data in parts for at in range(0, len(data), 8) if any(data[at:at + 8])]
for number in range(40):
    source = random.Random(number)
    with open(f"{sys.argv[2]}/hostile.{number}.whr", "wb") as out:
        out.truncate(size)
        for begin, data in parts:
            out.seek(begin)
            out.write(data)
        for _ in range(source.choice((1, 3, 30, 300))):
            at = source.choice(used if number % 4 else range(16, 4096, 8))
            if at < 16:
                continue
            out.seek(at)
            out.write(source.choice((b"\xff" * 8, bytes(8), source.randbytes(8), b"\0\0\0\0\0\0\0\x80",
                                     (size - source.randrange(64)).to_bytes(8, "little"),
                                     source.randrange(1 << 16).to_bytes(8, "little"))))
P
for ((i = 0; i < 40; i++)); do
	survives "$place/hostile.$i.whr" "$([ $((i % 2)) = 0 ] && echo text || echo json)" "with bytes changed, seed $i"
	rm -f "$place/hostile.$i.whr"
done

# What needs more than a line.
rm -f "$WHOHOLDS_DIR"/*.whr
for more in testprogs/cli/*.sh; do
	# shellcheck disable=SC1090 # each of them
	. "$more"
done

# -- diff ------------------------------------------------------------------------
report() { # report LEAKED-BYTES COUNT MORE-FINDINGS: as --json writes it, as far as diff looks
	printf '{"schema": "whoholds/1", "process": {"pid": 7}, "findings": [{"id": "leak-1", "kind": "leak", "severity": "error", "title": "lost in load_row", "bytes": %s, "count": %s}%s], "sites": [{"stack": 3, "live_bytes": %s, "live_blocks": %s}], "stacks": [{"id": 3, "frames": [{"function": "load_row"}, {"function": "main"}]}]}\n' "$1" "$2" "$3" "$1" "$2"
}
warned=', {"id": "growth-2", "kind": "growth", "severity": "warning", "title": "grows", "bytes": 9, "count": 1}'
report 1024 1 "$warned" >"$place/old.json"
report 4096 3 '' >"$place/more.json"
gives 0 'grown: 1 finding' "$wh" diff "$place/old.json" "$place/more.json"
gives 0 'lost in load_row: 1 KiB in 1 -> 4 KiB in 3' "$wh" diff "$place/old.json" "$place/more.json"
gives 0 '\+3 KiB +grown +load_row < main' "$wh" diff "$place/old.json" "$place/more.json"
gives 0 'gone: 1 finding' "$wh" diff "$place/old.json" "$place/more.json"
gives 0 'shrunk: 1 finding' "$wh" diff "$place/more.json" "$place/old.json"
gives 0 '0 new, 0 gone, 0 grown, 0 shrunk, 2 the same' "$wh" diff "$place/old.json" "$place/old.json"
gives 125 'cannot read .*Is a directory; wanted is a recording' "$wh" diff "$place" "$place/more.json"
gives 9 'grown' "$wh" diff --error-exitcode=9 "$place/old.json" "$place/more.json"
gives 0 'new: 1 finding' "$wh" diff --error-exitcode=9 "$place/more.json" "$place/old.json"
gives 9 'new: 1 finding' "$wh" diff --error-exitcode=9 --fail-on=growth "$place/more.json" "$place/old.json"
gives 0 '"change": ?"grown"' "$wh" diff --format=json "$place/old.json" "$place/more.json"
: >"$place/nothing.json"
gives 125 'nothing.json is empty' "$wh" diff "$place/old.json" "$place/nothing.json"
gives 0 'new: 2 findings' "$wh" diff "$place/nothing.json" "$place/old.json"
# The last report of a process is what counts; those of two processes add up.
{
	report 100 1 ''
	report 1024 1 "$warned"
} >"$place/twice.json"
gives 0 '0 grown, 0 shrunk, 2 the same' "$wh" diff "$place/old.json" "$place/twice.json"
{
	report 3072 2 ''
	report 1024 1 '' | sed 's/"pid": 7/"pid": 8/'
} >"$place/two.json"
gives 0 '0 grown, 0 shrunk, 1 the same' "$wh" diff "$place/more.json" "$place/two.json"
head -c 100 "$place/old.json" >"$place/part.json"
gives 125 'is not a report' "$wh" diff "$place/old.json" "$place/part.json"
gives 125 'cannot open' "$wh" diff "$place/old.json" "$place/no-such-file"
gives 125 'not a whoholds recording' "$wh" diff "$place/old.json" /etc/passwd
gives 2 'wants two' "$wh" diff "$place/old.json"
# Recordings, of which a report is made first. What it finds is both in one function, on two lines: of one id, and two.
mkdir -m 700 "$place/diff"
WHOHOLDS_DIR=$place/diff "$wh" run -q --keep "$progs/unclosed" >/dev/null 2>&1
WHOHOLDS_DIR=$place/diff "$wh" run -q --keep "$progs/unclosed_clean" >/dev/null 2>&1
gives 0 '2 new, 0 gone' "$wh" diff "$place"/diff/unclosed_clean.*.whr "$place"/diff/unclosed.*.whr
gives 0 '0 new, 2 gone' "$wh" diff "$place"/diff/unclosed.*.whr "$place"/diff/unclosed_clean.*.whr

echo "$passed passed, $failed failed$([ $skipped = 0 ] || echo ", $skipped skipped")"
[ $failed = 0 ]
