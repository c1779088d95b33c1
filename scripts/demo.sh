#!/bin/sh
# usage: scripts/demo.sh BUILD
#
# Runs the case this project began with, for real: a program that hangs, until its report is there.
set -eu
cd "$(dirname "$0")/.."
build=$1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

echo "\$ whoholds run --set blocked=1s ./leaky_range"
echo "(it hangs: nobody in it can go on; after 1 s whoholds says why)"
echo
# What the program itself prints is for the test runner.
"$build/bin/whoholds" run --json="$scratch/report.json" --set blocked=1s "$build/testprogs/leaky_range" >/dev/null 2>"$scratch/text" &
run=$!

waited=0
until [ -s "$scratch/report.json" ] || [ $waited -ge 150 ]; do
	kill -0 $run 2>/dev/null || break
	sleep 0.1
	waited=$((waited + 1))
done
sleep 0.3
cp "$scratch/text" "$scratch/first"
cat "$scratch/first"
if [ ! -s "$scratch/first" ]; then
	kill -KILL $run 2>/dev/null || true
	echo "demo.sh: no report within 15 s" >&2
	exit 1
fi

# The command passes the signal on; the program ends.
kill -TERM $run
status=0
wait $run || status=$?
echo
echo "(the demo ended it with SIGTERM; the command's status, $status, is the program's)"
echo "While a program hangs: whoholds dump PID. After a crash: whoholds report RECORDING. More: whoholds help"
