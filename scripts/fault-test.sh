#!/bin/bash
# usage: scripts/fault-test.sh BUILD
#
# Whatever is wrong with the place for recordings, or with the limits of the process: the program
# prints the same and ends with the same status, and at most one line of warning is added.
set -u
cd "$(dirname "$0")/.." || exit 1
build=$(realpath "$1")
lib=$build/lib/libwhoholds.so
passed=0 failed=0 skipped=0
place=$(mktemp -d /tmp/fault.XXXXXX)
chmod 755 "$place"
cleanup() {
	umount "$place/tmpfs" 2>/dev/null
	rm -rf "$place"
}
trap cleanup EXIT
unset WHOHOLDS_OPTIONS WHOHOLDS_DIR LD_PRELOAD

# judge NAME WARNINGS: the last run against the bare one; WARNINGS: how many lines may be added ("1" or "0-1")
judge() {
	local name=$1 allowed=$2 lines words=
	lines=$(wc -l <"$place/with.err")
	[ "$(cat "$place/with.status")" = "$(cat "$place/bare.status")" ] ||
		words="status $(cat "$place/with.status"), without the library $(cat "$place/bare.status")"
	cmp -s "$place/bare.out" "$place/with.out" || words="$words; other output: $(diff "$place/bare.out" "$place/with.out" | head -n 3 | tr '\n' ' ')"
	if grep -qv '^whoholds' "$place/with.err"; then
		words="$words; on standard error: $(grep -v '^whoholds' "$place/with.err" | head -n 2)"
	fi
	case $allowed in
	1) [ "$lines" = 1 ] || words="$words; $lines lines of warning, not one: $(head -n 3 "$place/with.err")" ;;
	*) [ "$lines" -le 1 ] || words="$words; $lines lines of warning: $(head -n 3 "$place/with.err")" ;;
	esac
	if [ -z "$words" ]; then
		passed=$((passed + 1))
		echo "  ok   $name$([ "$lines" = 0 ] || echo ": $(cut -c1-150 "$place/with.err" | head -n 1)")"
	else
		failed=$((failed + 1))
		echo "  FAIL $name: $words"
	fi
}

skip() {
	skipped=$((skipped + 1))
	echo "  skip $1: $2"
}

# A program with threads that prints the same every time, and one that forks.
program=("$build/testprogs/real/cxx_threads")
# shellcheck disable=SC2016 # for the inner shell
forks=(sh -c 'for i in 1 2 3; do (echo child $i; exit $i); done; echo parent')
# run WHICH COMMAND...: leaves WHICH.{out,err,status}. Through pipes, which no limit on files concerns.
run() {
	local which=$1
	shift
	{
		{
			# What hangs is a failure (status 137), not the end of the whole run.
			timeout -s KILL 60 "$@"
			echo $? >"$place/$which.status"
		} 2>&3 3>&- | cat >"$place/$which.out"
	} 3>&1 | cat >"$place/$which.err"
}
# with DIR WRAPPER... -- PROGRAM...: WRAPPER goes in front and is not preloaded into
with() {
	local dir=$1 wrapper=()
	shift
	while [ "$1" != -- ]; do
		wrapper+=("$1")
		shift
	done
	shift
	run bare "${wrapper[@]}" env "$@"
	run with "${wrapper[@]}" env WHOHOLDS_DIR="$dir" LD_PRELOAD="$lib" "$@"
}
both() { # both NAME WARNINGS DIR WRAPPER...
	local name=$1 warnings=$2
	shift 2
	with "$@" -- "${program[@]}"
	judge "$name" "$warnings"
	with "$@" -- "${forks[@]}"
	# Each process may say it once.
	[ "$(wc -l <"$place/with.err")" -le 4 ] && head -n 1 "$place/with.err" >"$place/one" && mv "$place/one" "$place/with.err"
	judge "$name, with children" 0-1
}

mkdir -m 700 "$place/good"
both 'a good directory' 0-1 "$place/good"
[ -z "$(ls "$place/good")" ] || {
	failed=$((failed + 1))
	echo "  FAIL recordings left behind: $(ls "$place/good")"
}
both 'no such directory, and none to make it in' 1 "$place/none/dir"
: >"$place/file"
both 'a file where the directory should be' 1 "$place/file"
mkdir -m 700 "$place/real"
ln -s real "$place/link"
# Whoever names a link of his own means where it leads; one that somebody else made is another matter.
both 'a link of our own to a directory' 0-1 "$place/link"
ln -s /etc/passwd "$place/loop"
both 'a link to a file' 1 "$place/loop"

if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null && setpriv --reuid 65534 --clear-groups test -r "$lib" 2>/dev/null; then
	mkdir -m 755 "$place/closed"
	with "$place/closed" setpriv --reuid 65534 --clear-groups -- "${program[@]}"
	judge "somebody else's directory, unwritable" 1
	ln -s real "$place/planted"
	chown -h 65533 "$place/planted"
	with "$place/planted" -- "${program[@]}"
	judge 'a link that somebody else made' 1
	[ -z "$(ls "$place/real")" ] || {
		failed=$((failed + 1))
		echo '  FAIL the link was followed'
	}
	mkdir -m 777 "$place/foreign"
	chown 65533 "$place/foreign"
	chmod 777 "$place/foreign"
	with "$place/foreign" setpriv --reuid 65534 --clear-groups -- "${program[@]}"
	judge "somebody else's directory that anybody may write to" 1
	with "$place/foreign" -- "${program[@]}"
	judge "somebody else's directory, for root" 1
elif [ "$(id -u)" != 0 ]; then
	mkdir -m 500 "$place/closed"
	both 'an unwritable directory' 1 "$place/closed"
else
	skip 'directories of other owners' 'no setpriv, or the build is not readable for others'
fi

# Links under names that a recording might get: none may be followed, whatever pid comes next.
mkdir -m 700 "$place/trap"
echo precious >"$place/victim"
next=$(sh -c 'echo $$')
for ((i = 0; i < 3000; i++)); do
	ln -s "$place/victim" "$place/trap/cxx_threads.$((next + i)).whr"
done
with "$place/trap" -- "${program[@]}"
judge 'links under the names of recordings' 0-1
[ "$(cat "$place/victim")" = precious ] || {
	failed=$((failed + 1))
	echo '  FAIL a link was followed and its target overwritten'
}

mkdir "$place/tmpfs"
for size in 16k 256k 2m; do
	if mount -t tmpfs -o "size=$size,mode=700" none "$place/tmpfs" 2>/dev/null; then
		both "a file system of $size" 0-1 "$place/tmpfs"
		umount "$place/tmpfs"
	else
		skip "a file system of $size" 'may not mount'
	fi
done
if mount -t tmpfs -o size=8m,mode=700 none "$place/tmpfs" 2>/dev/null; then
	dd if=/dev/zero of="$place/tmpfs/full" bs=4k >/dev/null 2>&1
	both 'a full disk' 1 "$place/tmpfs"
	rm "$place/tmpfs/full"
	# It fills up while the program runs.
	(sleep 0.02; dd if=/dev/zero of="$place/tmpfs/full" bs=4k >/dev/null 2>&1) &
	with "$place/tmpfs" -- "${program[@]}"
	wait
	judge 'a disk that fills up meanwhile' 0-1
	umount "$place/tmpfs"
	mount -t tmpfs -o ro,mode=700 none "$place/tmpfs"
	both 'a read-only file system' 1 "$place/tmpfs"
	umount "$place/tmpfs"
	mount -t tmpfs -o nr_inodes=1,mode=700 none "$place/tmpfs"
	both 'a file system without room for names' 1 "$place/tmpfs"
	umount "$place/tmpfs"
else
	skip 'a full disk' 'may not mount'
fi

for blocks in 0 8 1024; do
	both "files of at most $blocks KiB" 0-1 "$place/good" bash -c "ulimit -f $blocks; exec \"\$@\"" bash
done
both 'few descriptors' 0-1 "$place/good" bash -c 'ulimit -n 4; exec "$@"' bash
# A program whose own needs are small and always the same.
program=("$build/testprogs/rwlock_deadlock_clean")
for kib in 150000 400000; do
	both "address space of $kib KiB" 0-1 "$place/good" bash -c "ulimit -v $kib; exec \"\$@\"" bash
done
program=("$build/testprogs/real/cxx_threads")
both 'small stacks' 0-1 "$place/good" bash -c 'ulimit -s 128; exec "$@"' bash
both 'no core files, no locked memory' 0-1 "$place/good" bash -c 'ulimit -c 0 -l 0; exec "$@"' bash
both 'no environment but this' 0-1 "$place/good" env -i
both 'standard descriptors closed but two' 0-1 "$place/good" bash -c 'exec <&-; exec "$@"' bash

echo "$passed passed, $failed failed$([ $skipped = 0 ] || echo ", $skipped skipped")"
[ $failed = 0 ]
