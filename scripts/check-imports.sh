#!/bin/sh
# usage: scripts/check-imports.sh BUILD
#
# Fails where an object of the library asks libc for a function that scripts/imports.txt does not
# allow: malloc, printf, pthread_mutex_lock and the like would come back to our own hooks, or take a
# lock that a stuck thread holds. Objects are looked at one by one, since the linked library hides
# what it defines itself. shim/platform/ is the door to libc; what it may ask for is listed there too.
set -eu
cd "$(dirname "$0")/.."
objects=$(find "$1/obj/lib" -name '*.o' | sort)
bad=0
ours=$(mktemp)
trap 'rm -f "$ours"' EXIT

# Names that hidden functions of our own define. The hooks do not count: to call one is the mistake.
# shellcheck disable=SC2086 # names without blanks
nm --defined-only $objects 2>/dev/null | awk 'NF == 3 { print $3 }' | sort -u >"$ours.all"
scripts/exports.sh | sed -n 's/^\t\([A-Za-z0-9_]*\);$/\1/p' | sort -u >"$ours.hooks"
comm -23 "$ours.all" "$ours.hooks" >"$ours"
rm -f "$ours.all"
for object in $objects; do
	source=${object#"$1/obj/lib/"}
	source=${source%.o}.c
	[ -f "$source" ] || continue # of a file that is gone
	for name in $(nm -u "$object" | awk '{ print $2 }' | sort -u | comm -23 - "$ours"); do
		awk -v name="$name" -v file="$source" '
			/^#/ || NF == 0 { next }
			# name: everywhere; "name: file..." in these files or folders alone
			{
				key = $1; only = sub(":$", "", key)
				if (key != name) next
				if (!only) { ok = 1; exit }
				for (i = 2; i <= NF; i++) if (index(file, $i) == 1) { ok = 1; exit }
			}
			END { exit !ok }' scripts/imports.txt || {
			echo "$source: asks for $name, which scripts/imports.txt does not allow there"
			bad=1
		}
	done
done
rm -f "$ours.hooks"
exit $bad
