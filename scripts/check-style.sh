#!/bin/sh
# Format, guards, and what no file may contain. clang-format is skipped, with a word, where it is not installed.
set -u
cd "$(dirname "$0")/.." || exit 1
bad=0
complain() {
	echo "$1"
	bad=1
}

# Not `git ls-files`: a source archive is checked as well.
sources=$(find shim reporter testprogs -name '*.c' -o -name '*.h' -o -name '*.cc' | sort)
texts="$sources $(find scripts shim reporter testprogs .ci -name '*.def' -o -name '*.sh' -o -name '*.md' -o -name '*.txt' | sort) $(ls ./*.md Makefile)"

for file in $(find shim reporter -name '*.h' | sort); do
	case $file in
	shim/whoholds.h) guard=WHOHOLDS_H ;;
	*) guard= ;;
	esac
	first=$(grep -m1 -E '^#' "$file")
	case $first in
	"#ifndef ${guard:-WH_}"*) ;;
	*) complain "$file: does not begin with an include guard (#ifndef WH_FOLDER_NAME_H), but with: $first" ;;
	esac
	name=${first#'#ifndef '}
	grep -q "^#define $name\$" "$file" || complain "$file: guard $name is not defined"
done

for file in $(find shim reporter -name '*.def' | sort); do
	grep -q '^#error' "$file" || complain "$file: a table says what to define first (#ifndef X, #error)"
done

# shellcheck disable=SC2086,SC2046 # names without blanks
{
	grep -nE '\b(strcpy|strcat|sprintf|vsprintf|strtok|gets|localtime|gmtime|asctime|ctime|alloca)\(' $(echo "$sources" | grep -v '^testprogs') |
		grep -vE '^[^:]+:[0-9]+:[[:space:]]*(/?\*|#)' | sed 's/$/   <- banned/'
	grep -nE '(^|[;{}[:space:]])//( |$)' $sources | grep -vE '^[^:]+\.cc:|:[0-9]+:[[:space:]]*\*' |
		sed 's/$/   <- comments are written between \/* and *\//'
	grep -nE '[[:space:]]+$' $texts $sources | sed 's/$/   <- blank at the end of the line/'
	grep -nlE "$(printf '\r')" $texts | sed 's/$/: has carriage returns/'
	grep -nE '^(<{7}|>{7})( |$)' $texts | sed 's/$/   <- conflict marker/'
} >"${TMPDIR:-/tmp}/style.$$"
if [ -s "${TMPDIR:-/tmp}/style.$$" ]; then
	cat "${TMPDIR:-/tmp}/style.$$"
	bad=1
fi
rm -f "${TMPDIR:-/tmp}/style.$$"

for file in $texts; do
	[ ! -s "$file" ] || [ "$(tail -c 1 "$file" | wc -l)" = 1 ] || complain "$file: no newline at its end"
done

if command -v clang-format >/dev/null; then
	# shellcheck disable=SC2086
	clang-format --dry-run --Werror $sources 2>&1 | grep -E 'error:' | sed 's/:[0-9]*: error.*/: not as clang-format writes it/' |
		awk -F: '{ n[$1]++; if (!($1 in at)) at[$1] = $2 } END { for (f in n) { printf "%s:%s: not as clang-format writes it (%d places)\n", f, at[f], n[f]; bad = 1 } exit bad }' |
		sort || bad=1
	# shellcheck disable=SC2086
	clang-format --dry-run --Werror $sources >/dev/null 2>&1 || bad=1
else
	echo "skipped: clang-format is not installed"
fi
exit $bad
