#!/bin/bash
# What a configure script does to a machine: hundreds of small processes, pipes,
# here-documents, compilations that are meant to fail, traps. Prints the same every time.
set -u
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"; echo "cleaned up"' EXIT
cd "$scratch" || exit 1

checking() { printf 'checking %s... ' "$1"; }

for header in stdio.h stdlib.h string.h unistd.h no_such_header.h pthread.h; do
	checking "for $header"
	printf '#include <%s>\nint main(void) { return 0; }\n' "$header" >conftest.c
	if ${CC:-cc} -c conftest.c -o conftest.o 2>conftest.err; then echo yes; else echo no; fi
	rm -f conftest.*
done
checking "size of long"
cat >conftest.c <<'C'
#include <stdio.h>
int main(void) { printf("%zu\n", sizeof(long)); return 0; }
C
${CC:-cc} -o conftest conftest.c && ./conftest
for i in $(seq 1 60); do
	value=$(echo "option_$i = $((i * i))" | sed 's/option_\([0-9]*\)/OPTION_\1/' | tr ' ' '_' | cut -c1-40)
	name=$(expr "x$value" : 'x\([A-Z_0-9]*\)')
	echo "#define $name" >>config.h
	test -f config.h || exit 1
done
sort -u config.h | wc -l
(exit 3) || echo "subshell gave $?"
wait_for=()
for i in 1 2 3 4; do
	(echo "job $i" >job.$i) &
	wait_for+=($!)
done
wait "${wait_for[@]}"
cat job.*
awk 'END { print NR " lines" }' config.h
kill -0 $$ && echo alive
exec 3<config.h
read -r line <&3
echo "$line"
