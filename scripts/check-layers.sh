#!/bin/sh
# Fails where a file includes what stands above it: scripts/layers.txt has the rules.
set -eu
cd "$(dirname "$0")/.."

files=$(find shim reporter -name '*.c' -o -name '*.h' -o -name '*.def' | sort)
# shellcheck disable=SC2086 # names without blanks
awk '
function folder_of(path) { sub("/[^/]*$", "", path); return path }
BEGIN {
	while ((getline line <"scripts/layers.txt") > 0) {
		if (line ~ /^#/ || line !~ /:/) continue
		split(line, half, ":")
		gsub(/ /, "", half[1])
		may[half[1]] = " " half[2] " "
	}
}
/^[ \t]*#[ \t]*include[ \t]*"/ {
	split($0, part, "\"")
	name = part[2]
	folder = folder_of(FILENAME)
	# As the compiler finds it: below shim/, below the root, beside the file.
	target = ""
	count = split("shim/" name "|" name "|" folder "/" name, tries, "|")
	for (i = 1; i <= count && target == ""; i++)
		if (exists(tries[i])) target = tries[i]
	if (target == "") {
		printf "%s:%d: \"%s\" is no file of this project\n", FILENAME, FNR, name
		bad++
		next
	}
	target_folder = folder_of(target)
	if (target_folder == folder || target_folder == "shim" && folder == "shim") next
	# What starts and what describes the whole may use everything below it.
	if (folder == "shim") next
	if (!(folder in may)) {
		if (!(folder in told)) printf "%s: scripts/layers.txt has no line for %s\n", FILENAME, folder
		told[folder] = 1
		bad++
		next
	}
	if (index(may[folder], " " target_folder " ") == 0 && index(may[folder], " " target " ") == 0) {
		printf "%s:%d: %s may not include %s\n", FILENAME, FNR, folder, target
		bad++
	}
}
function exists(path,    line, ok) {
	if (path in known) return known[path]
	ok = (getline line <path) >= 0
	close(path)
	return known[path] = ok
}
END { exit bad > 0 }
' $files

# What is installed must stand alone, and two libraries appear in one file each.
bad=0
one_place() {
	for file in $(grep -lE "^[[:space:]]*#[[:space:]]*include[[:space:]]*<$1" -r shim reporter || true); do
		case " $2 " in
		*" $file "*) ;;
		*)
			echo "$file: only $2 may include <$1...>"
			bad=1
			;;
		esac
	done
}
one_place uthash 'shim/base/table.h'
one_place libunwind 'shim/stack/unwind_libunwind.c'
exit $bad
