#!/bin/bash
# usage: scripts/readme.sh [BUILD]
#
# Writes into README.md what real runs print: the report of `make demo`, those of other programs that hang, and the table
# of `make check-real` (from the last such run), between the lines that mark their places.
set -eu
cd "$(dirname "$0")/.."
build=${1:-build}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

between() { # between NAME FILE: replaces what stands between "<!-- NAME:" and "<!-- end of NAME"
	awk -v name="$1" -v file="$2" '
		index($0, "<!-- " name ":") == 1 { print; while ((getline line <file) > 0) print line; skip = 1; next }
		index($0, "<!-- end of " name) == 1 { skip = 0 }
		!skip { print }' README.md >"$scratch/readme"
	cp "$scratch/readme" README.md
}

{
	echo '```'
	scripts/demo.sh "$build" | sed -n '/^\$ /p; /^whoholds: leaky_range/,/^(the demo/p' | sed '/^(the demo/d' | cat -s | sed -e :a -e '/^\n*$/{$d;N;ba' -e '}'
	echo '```'
} >"$scratch/report"
between report "$scratch/report"
report_of() { # report_of NAME OPTION...: what is said of a test program that hangs, which is then ended
	name=$1
	shift
	rm -f "$scratch/report.json"
	"$build/bin/whoholds" run --json="$scratch/report.json" "$@" "$build/testprogs/$name" >/dev/null 2>"$scratch/text" &
	run=$!
	for _ in $(seq 200); do
		[ ! -s "$scratch/report.json" ] || break
		sleep 0.1
	done
	sleep 0.3
	# Up to the summary: what comes after it is of the signal.
	sed '/^whoholds: `whoholds help/q' "$scratch/text" >"$scratch/$name"
	kill -TERM $run
	wait $run 2>/dev/null || true
	grep -q '^\[1\]' "$scratch/$name" || {
		echo "readme.sh: no report of $name" >&2
		exit 1
	}
	echo '```'
	echo "\$ whoholds run${*:+ $*} ./$name"
	cat "$scratch/$name"
	echo '```'
}

report_of abba >"$scratch/block"
between report-abba "$scratch/block"
report_of philosophers >"$scratch/block"
between report-five "$scratch/block"
report_of starved_writer --set blocked=3s >"$scratch/block"
between report-starved "$scratch/block"

if [ -s "$build/realout/table.md" ]; then
	cp "$build/realout/table.md" "$scratch/table"
	echo >>"$scratch/table"
	# shellcheck disable=SC1091
	echo "$(nproc) cores, $(uname -m), $(. /etc/os-release && echo "$PRETTY_NAME"), glibc $(ldd --version | sed -n '1s/.* //p'). Times are for orientation; no test passes or fails by one." >>"$scratch/table"
	between real "$scratch/table"
fi
if [ -s "$build/peers.md" ]; then
	between peers "$build/peers.md"
fi
