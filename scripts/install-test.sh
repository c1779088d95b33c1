#!/bin/sh
# usage: scripts/install-test.sh BUILD
#
# What `make install` puts into place works from there, and `make uninstall` takes all of it away.
set -u
cd "$(dirname "$0")/.." || exit 1
root=$PWD
build=$1
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
passed=0 failed=0
check() {
	name=$1
	shift
	if "$@" >"$place/log" 2>&1; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "  FAIL $name"
		sed 's/^/       /' "$place/log" | head -n 20
	fi
}
tree=$place/tree
compiler=
case $build in */clang) compiler=CC=clang ;; esac
check 'make install' make -s ${compiler:+"$compiler"} install PREFIX="$tree/usr" LIBDIR="$tree/usr/lib"
for file in bin/whoholds lib/libwhoholds.so include/whoholds.h lib/pkgconfig/whoholds.pc; do
	check "$file is there" test -s "$tree/usr/$file"
done
check 'the page of the command is there' test -s "$tree/usr/share/man/man1/whoholds.1"
cat >"$place/program.c" <<'C'
#include <whoholds.h>
#include <stdio.h>
int main(void)
{
	wh_mark mark = wh_now();
	wh_acquired("ticket", &mark, "the ticket");
	printf("active %d, open %d\n", wh_active(), wh_open_since(mark));
	wh_released("ticket", &mark);
	return 7;
}
C
for language in 'gcc -std=c99 -pedantic' 'gcc -std=gnu11' 'g++ -x c++ -std=c++11 -pedantic'; do
	# shellcheck disable=SC2086 # words
	check "the header compiles: $language" $language -Wall -Wextra -Werror -I"$tree/usr/include" -o "$place/program" "$place/program.c"
done
cd / || exit 1
"$place/program" >"$place/out"
check 'a program with the header runs alone' test "$?:$(cat "$place/out")" = '7:active 0, open 0'
WHOHOLDS_DIR=$place/dir "$tree/usr/bin/whoholds" run -- "$place/program" >"$place/out" 2>"$place/err"
check 'and under the installed command' test "$?:$(cat "$place/out"):$(cat "$place/err")" = '7:active 1, open 1:'
WHOHOLDS_DIR=$place/dir LD_PRELOAD=$tree/usr/lib/libwhoholds.so "$place/program" >"$place/out" 2>"$place/err"
check 'and with the installed library' test "$?:$(cat "$place/out"):$(cat "$place/err")" = '7:active 1, open 1:'
# Found through the path and through a link.
ln -s "$tree/usr/bin/whoholds" "$place/wh"
WHOHOLDS_DIR=$place/dir "$place/wh" run -- "$place/program" >"$place/out" 2>"$place/err"
check 'and by a link to the command' test "$?:$(cat "$place/out"):$(cat "$place/err")" = '7:active 1, open 1:'
cd "$root" || exit 1
check 'make uninstall' make -s ${compiler:+"$compiler"} uninstall PREFIX="$tree/usr" LIBDIR="$tree/usr/lib"
check 'nothing is left' test -z "$(find "$tree" -type f)"
check 'DESTDIR' make -s ${compiler:+"$compiler"} install DESTDIR="$place/stage" PREFIX=/opt/wh
check 'DESTDIR holds the command' test -x "$place/stage/opt/wh/bin/whoholds"
check 'the package file knows the prefix, not the stage' grep -qx 'prefix=/opt/wh' "$place/stage/opt/wh/lib/pkgconfig/whoholds.pc"
echo "$passed passed, $failed failed"
[ $failed = 0 ]
