#!/bin/sh
# usage: scripts/examples-test.sh BUILD
#
# The examples of assertions (reporter/examples/assertions_*) are built and run, as they stand and with the two
# mistakes that they are to find; with the library and without. What needs a library that is not there is skipped.
set -u
cd "$(dirname "$0")/.." || exit 1
build=$PWD/$1
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
passed=0 failed=0 skipped=0

# NAME STATUS COMMAND...: it ends with 0, or with anything else.
ends() {
	name=$1 wanted=$2
	shift 2
	WHOHOLDS_DIR=$place/dir timeout -s KILL 60 "$@" >"$place/log" 2>&1
	status=$?
	if { [ "$status" = 0 ] && [ "$wanted" = 0 ]; } || { [ "$status" != 0 ] && [ "$wanted" != 0 ]; }; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "  FAIL $name: ended with $status"
		sed 's/^/       /' "$place/log" | head -n 30
	fi
}

says() {
	if grep -q -e "$2" "$place/log"; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "  FAIL $1: does not say '$2'"
		sed 's/^/       /' "$place/log" | head -n 30
	fi
}

# NAME NEEDS WORDS COMPILER...: NEEDS is the header without which it is skipped; WORDS tell of the mistake.
example() {
	name=$1 needs=$2 words=$3
	shift 3
	case $2 in *.cc) language=c++ ;; *) language=c ;; esac
	if ! echo "#include <$needs>" | "$1" -E -x "$language" - >/dev/null 2>&1; then
		echo "  SKIP $name: there is no $needs (scripts/deps.sh test)"
		skipped=$((skipped + 1))
		return
	fi
	for kind in RIGHT FORGETFUL; do
		if ! "$@" -g -D"$kind" -Ishim -o "$place/$kind" >"$place/log" 2>&1; then
			failed=$((failed + 1))
			echo "  FAIL $name, $kind: was not built"
			sed 's/^/       /' "$place/log" | head -n 20
			return
		fi
	done
	ends "$name alone" 0 "$place/RIGHT"
	ends "$name with the library" 0 "$build/bin/whoholds" run "$place/RIGHT"
	ends "$name, with mistakes, alone" 0 "$place/FORGETFUL"
	ends "$name, with mistakes, with the library" 1 "$build/bin/whoholds" run "$place/FORGETFUL"
	says "$name, with mistakes, with the library" "$words"
}

at=reporter/examples
example assert assert.h 'wh_lost_bytes_since(mark) == 0' cc $at/assertions_assert.c -pthread
example Check check.h "Assertion 'wh_lost_bytes_since(before) == 0' failed" \
	cc $at/assertions_check.c -lcheck -lsubunit -lm -lrt -pthread
example GoogleTest gtest/gtest.h '2 FAILED TESTS' c++ $at/assertions_gtest.cc -lgtest -pthread

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
