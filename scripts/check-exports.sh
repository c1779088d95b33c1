#!/bin/sh
# usage: scripts/check-exports.sh BUILD
#
# Fails where the library exports a name that is not in its tables or its header, or lacks one.
set -eu
cd "$(dirname "$0")/.."
lib=$1/lib/libwhoholds.so
want=$(mktemp) have=$(mktemp)
trap 'rm -f "$want" "$have"' EXIT

{
	scripts/exports.sh | sed -n 's/^\t\([A-Za-z0-9_]*\);$/\1/p' | sed '/^wh_/d'
	# Of wh_ names, those that the header knows.
	nm -D --defined-only "$lib" | awk '$3 ~ /^wh_/ { sub("@.*", "", $3); print $3 }' |
		while read -r name; do ! grep -qw "$name" shim/whoholds.h || echo "$name"; done
} | sort -u >"$want"
nm -D --defined-only "$lib" | awk '$2 !~ /A/ { sub("@.*", "", $3); print $3 }' | sort -u >"$have"

bad=0
for name in $(comm -13 "$want" "$have"); do
	echo "$lib exports $name, which is in no table and not in shim/whoholds.h"
	bad=1
done
for name in $(comm -23 "$want" "$have"); do
	echo "$lib does not export $name, which shim/platform/*.def promises"
	bad=1
done
exit $bad
