#!/bin/sh
# usage: scripts/check-docs.sh BUILD
#
# Fails where an option, a kind, a verb or a format is not documented, or a document names what is not there.
set -u
cd "$(dirname "$0")/.." || exit 1
cli=$1/bin/whoholds
bad=0
complain() {
	echo "$1"
	bad=1
}

rows() { # rows FILE MACRO: the first argument of each row
	sed -n "s/^$2(\([A-Za-z0-9_-]*\),.*/\1/p" "$1"
}
kinds=$(sed -n 's/^FINDING([a-z_]*, "\([a-z-]*\)".*/\1/p' reporter/findings.def)

options=$("$cli" help options)
for option in $(rows shim/options.def OPTION); do
	echo "$options" | grep -qw -- "$option" || complain "whoholds help options: says nothing of $option"
	for page in reporter/man/*.scd; do
		[ ! -e "$page" ] || grep -qw -- "$option" reporter/man/*.scd || {
			complain "reporter/man: no page has the option $option"
			break
		}
	done
done
for kind in $kinds; do
	"$cli" help "$kind" 2>/dev/null | grep -q . || complain "whoholds help $kind: says nothing"
	"$cli" help kinds | grep -qw -- "$kind" || complain "whoholds help kinds: says nothing of $kind"
done
for verb in run dump report list help; do
	"$cli" help "$verb" 2>/dev/null | grep -q . || complain "whoholds help $verb: says nothing"
done

# Files that documents name (`like/this.c`) and their links.
for page in README.md CONTRIBUTING.md CHANGELOG.md shim/README.md reporter/README.md testprogs/README; do
	if [ ! -f "$page" ]; then
		complain "$page: not there"
		continue
	fi
	folder=$(dirname "$page")
	# shellcheck disable=SC2016 # the backquotes are the document's
	for name in $(grep -oE '`[A-Za-z0-9_./-]+/[A-Za-z0-9_.-]+\.(c|cc|h|def|sh|txt|md|mk|json)`' "$page" | tr -d '`' | sort -u) \
		$(grep -oE '\]\([A-Za-z0-9_./-]+\)' "$page" | sed 's/^](//; s/)$//' | sort -u); do
		[ -e "$name" ] || [ -e "$folder/$name" ] || case $name in
		build/* | /*) ;;
		*) complain "$page: names $name, which is not there" ;;
		esac
	done
	# shellcheck disable=SC2013,SC2016 # words, and the document's backquotes
	for target in $(grep -oE '`make [a-z-]+' "$page" | sed 's/.*make //' | sort -u); do
		grep -q "^## $target:" Makefile || complain "$page: names 'make $target', which is no target"
	done
done
# shellcheck disable=SC2013 # words
for target in $(sed -n 's/^## \([a-z-]*\):.*/\1/p' Makefile); do
	grep -q "^$target:" Makefile || complain "Makefile: help names $target, which is no target"
done

# A test program says what it is and what is expected of it.
for program in testprogs/*.c testprogs/hostile/*.c testprogs/hostile/*.cc testprogs/clean/*.c testprogs/clean/*.cc; do
	[ -f "$program" ] || continue
	sed '/\*\//q' "$program" | grep -qE '^ \* (KINDS|EXPECT[A-Z-]*):' || complain "$program: its first comment expects nothing"
	case $program in
	testprogs/*_clean.c | testprogs/hostile/* | testprogs/clean/*) ;;
	*)
		ls "${program%.c}"*_clean.c >/dev/null 2>&1 || grep -q '^ \* TWIN: ' "$program" || complain "$program: has no clean twin"
		;;
	esac
done

# Each pitfall's test is there.
# shellcheck disable=SC2013,SC2016 # words; no command, either
for name in $(grep '^|' testprogs/PITFALLS.md | sed 's/.*|\([^|]*\)|$/\1/' | grep -o '`[^`]*`' | tr -d '`'); do
	[ -f "$name" ] || [ -f "testprogs/$name" ] || [ -f "testprogs/$name.c" ] || [ -f "testprogs/$name.cc" ] ||
		complain "testprogs/PITFALLS.md: there is no $name"
done
exit $bad
