#!/bin/bash
# usage: scripts/bench.sh BUILD [ROUNDS]
#
# What it costs: the same work bare, under whoholds and under heaptrack (where it is installed),
# in turn, several rounds; best times, and their ratios to bare. Nothing passes or fails here.
set -u
cd "$(dirname "$0")/.." || exit 1
build=$(realpath "$1")
rounds=${2:-3}
scratch=$(mktemp -d /tmp/bench.XXXXXX)
trap 'rm -rf "$scratch"' EXIT
mkdir -m 700 "$scratch/dir"
export WHOHOLDS_DIR=$scratch/dir LC_ALL=C.UTF-8
{
	echo 'CREATE TABLE rows(id INTEGER PRIMARY KEY, name TEXT); BEGIN;'
	seq 1 100000 | awk '{ printf "INSERT INTO rows VALUES(%d, \"name-%d\");\n", $1, ($1 * 7919) % 100003 }'
	echo 'COMMIT; SELECT name, count(*) FROM rows GROUP BY name ORDER BY 1 LIMIT 3;'
} >"$scratch/rows.sql"

workloads=(
	"malloc+free, one stack of 40 frames:$build/testprogs/bench/malloc_pairs"
	"malloc+free, other stacks each time:$build/testprogs/bench/malloc_pairs changing"
	"mutex lock+unlock:$build/testprogs/bench/lock_pairs"
	"C++ threads and exceptions:$build/testprogs/real/cxx_threads"
	"sqlite3, 100,000 rows:sqlite3 :memory:"
	"python3, JSON, threads, processes:/usr/bin/python3 testprogs/real/work.py"
)
ways=(bare whoholds)
! command -v heaptrack >/dev/null || ways+=(heaptrack)

once() { # once WAY COMMAND...: prints milliseconds
	local way=$1 begin=${EPOCHREALTIME/./}
	shift
	case $way in
	bare) "$@" ;;
	whoholds) LD_PRELOAD=$build/lib/libwhoholds.so "$@" ;;
	heaptrack) heaptrack -o "$scratch/heaptrack" "$@" ;;
	esac <"$scratch/rows.sql" >"$scratch/out" 2>&1
	echo $(((${EPOCHREALTIME/./} - begin) / 1000))
}

echo "| workload | bare | $(printf '%s | ' "${ways[@]:1}")"
echo "|---|---|$(printf -- '---|%.0s' "${ways[@]:1}")"
for workload in "${workloads[@]}"; do
	read -r -a command <<<"${workload#*:}"
	command -v "${command[0]}" >/dev/null || {
		echo "| ${workload%%:*} | not installed |"
		continue
	}
	declare -A best=()
	for ((i = 0; i < rounds; i++)); do
		for way in "${ways[@]}"; do
			ms=$(once "$way" "${command[@]}")
			[ -n "${best[$way]-}" ] && [ "${best[$way]}" -le "$ms" ] || best[$way]=$ms
		done
	done
	printf '| %s | %d ms |' "${workload%%:*}" "${best[bare]}"
	for way in "${ways[@]:1}"; do
		awk -v a="${best[$way]}" -v b="${best[bare]}" 'BEGIN { printf " %.2f (%d ms) |", a / (b ? b : 1), a }'
	done
	echo
done
echo
echo "$(nproc) cores, best of $rounds rounds in turn; heaptrack's time is that of recording, its analysis not counted."
