#!/bin/bash
# usage: scripts/real-programs.sh [--quick] [--build DIR] [CASE...]
#
# Runs real programs with and without the library. Each has to print the same, on both outputs,
# and end with the same status; findings have to be among those that were looked into and found
# true (testprogs/real/findings.txt). Prints a table for the README; --quick runs each once.
# Times are for the reader: they pass and fail nothing.
set -u
cd "$(dirname "$0")/.." || exit 1
root=$PWD build=$PWD/build rounds=3
cases=()
while [ $# -gt 0 ]; do
	case $1 in
	--quick) rounds=1 ;;
	--build)
		build=$(realpath "$2")
		shift
		;;
	*) cases+=("$1") ;;
	esac
	shift
done
out=$build/realout
rm -rf "$out"
mkdir -p "$out"
# Processes that give up their privileges write their reports as well.
chmod 1777 "$out"
# Sockets have short names only.
scratch=$(mktemp -d /tmp/real.XXXXXX)
trap 'rm -rf "$scratch"' EXIT
export LC_ALL=C.UTF-8 TZ=UTC HOME=$scratch
# Servers are where only root looks for programs.
export PATH=$PATH:/usr/sbin:/sbin
unset LD_PRELOAD WHOHOLDS_OPTIONS NO_COLOR
python=/usr/bin/python3
jemalloc=$(ls /usr/lib/*/libjemalloc.so.2 2>/dev/null)
tcmalloc=$(ls /usr/lib/*/libtcmalloc_minimal.so.4 2>/dev/null)

# `$W program ...` runs the program, with or without the library.
W=()
need() { # need COMMAND...: tells why where one is missing
	for command; do
		if ! command -v "$command" >/dev/null; then
			echo "needs $command"
			return 77
		fi
	done
}

make_inputs() {
	{
		echo 'PRAGMA journal_mode=WAL; CREATE TABLE rows(id INTEGER PRIMARY KEY, name TEXT, value REAL);'
		echo 'CREATE INDEX by_name ON rows(name); BEGIN;'
		seq 1 200000 | awk '{ printf "INSERT INTO rows VALUES(%d, \"name-%d\", %d.5);\n", $1, ($1 * 7919) % 100003, $1 % 977 }'
		echo 'COMMIT; SELECT count(*), sum(value), max(name) FROM rows;'
		echo 'SELECT name, count(*) FROM rows GROUP BY name ORDER BY 2 DESC, 1 LIMIT 5;'
		echo 'DELETE FROM rows WHERE id % 3 = 0; VACUUM; SELECT count(*) FROM rows; PRAGMA integrity_check;'
	} >"$scratch/rows.sql"
	[ ! -x "$(command -v g++)" ] || g++ -std=gnu++20 -E -P -include bits/stdc++.h -o "$scratch/real.ii" testprogs/real/cxx_threads.cc
	[ -z "$jemalloc" ] || g++ -std=gnu++20 -O2 -pthread -o "$scratch/linked" testprogs/real/cxx_threads.cc "$jemalloc"
	seq 1 300000 | awk '{ print ($1 * 7919) % 1000003, "line", $1 }' >"$scratch/lines"
}

run_sqlite() {
	need sqlite3 || return
	rm -f "$scratch"/rows.db*
	"${W[@]}" sqlite3 "$scratch/rows.db" <"$scratch/rows.sql"
}
run_python() {
	need $python || return
	"${W[@]}" $python testprogs/real/work.py
}
run_git() {
	need git || return
	local repo=$scratch/repo i
	rm -rf "$repo"
	export GIT_AUTHOR_DATE='2026-01-01T00:00:00Z' GIT_COMMITTER_DATE='2026-01-01T00:00:00Z' GIT_CONFIG_NOSYSTEM=1
	export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.org GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@example.org
	"${W[@]}" git init -q -b main "$repo" || return
	cd "$repo" || return
	for i in $(seq 1 30); do
		seq $((i * 3)) $((i * 3 + 400)) >numbers
		echo "text $i" >>text
		git add . && git commit -q -m "commit $i"
	done
	cp -r "$root/shim" . && git add . && "${W[@]}" git commit -q -m 'sources'
	"${W[@]}" git log -p --stat && "${W[@]}" git gc --quiet --aggressive && "${W[@]}" git fsck --full &&
		"${W[@]}" git blame numbers && "${W[@]}" git diff --stat HEAD~20
	local status=$?
	cd "$root" || return
	return $status
}
run_redis() {
	need redis-server redis-cli redis-benchmark || return
	local socket=$scratch/redis.sock status waited=0
	rm -f "$socket"
	"${W[@]}" redis-server --port 0 --unixsocket "$socket" --save '' --appendonly no --dir "$scratch" --loglevel warning \
		--logfile "$scratch/redis.log" --io-threads 2 &
	local server=$!
	until redis-cli -s "$socket" ping >/dev/null 2>&1; do
		sleep 0.05
		waited=$((waited + 1))
		[ $waited -lt 1200 ] || return 1
	done
	redis-benchmark -s "$socket" -n 5000 -c 20 -q --csv -t set,get,incr,lpush,rpop,sadd,hset,zadd,lrange_100 | cut -d, -f1
	redis-cli -s "$socket" set key value
	redis-cli -s "$socket" get key
	redis-cli -s "$socket" eval 'local s = 0 for i = 1, 10000 do s = s + i end return s' 0
	redis-cli -s "$socket" dbsize
	redis-cli -s "$socket" config set maxmemory 100mb
	redis-cli -s "$socket" flushall async
	redis-cli -s "$socket" shutdown nosave
	wait $server
	status=$?
	return $status
}
run_gcc() {
	need g++ || return
	echo "$(wc -l <"$scratch/real.ii") lines"
	"${W[@]}" g++ -std=gnu++20 -O2 -frandom-seed=1 -pthread -o "$scratch/compiled" "$scratch/real.ii" || return
	sha256sum <"$scratch/compiled"
}
run_cxx() { "${W[@]}" "$build/testprogs/real/cxx_threads"; }
run_bash() {
	need bash cc || return
	"${W[@]}" bash testprogs/real/configure.bash
}
run_nginx() {
	need nginx curl || return
	local place=$scratch/nginx i waited=0
	rm -rf "$place"
	mkdir -p "$place/www"
	chmod 755 "$scratch" "$place" "$place/www"
	head -c 100000 "$scratch/lines" >"$place/www/page"
	cat >"$place/nginx.conf" <<-C
		daemon on; worker_processes 2; pid $place/pid; error_log $place/error.log crit;
		events { worker_connections 64; }
		http { access_log off; default_type text/plain; client_body_temp_path $place/b; proxy_temp_path $place/p;
		fastcgi_temp_path $place/f; uwsgi_temp_path $place/u; scgi_temp_path $place/s;
		server { listen unix:$place/sock; gzip on; gzip_types text/plain; root $place/www; } }
	C
	"${W[@]}" nginx -p "$place" -c "$place/nginx.conf" &
	local starter=$! status
	until [ -S "$place/sock" ] && [ -s "$place/pid" ]; do
		sleep 0.05
		waited=$((waited + 1))
		[ $waited -lt 1200 ] || return 1
	done
	local pid
	pid=$(cat "$place/pid")
	for i in $(seq 1 40); do
		curl -s --unix-socket "$place/sock" http://localhost/page | sha256sum
		curl -s --compressed --unix-socket "$place/sock" http://localhost/page | wc -c
	done | sort | uniq -c
	curl -s -o /dev/null -w '%{http_code}\n' --unix-socket "$place/sock" http://localhost/none
	kill -HUP "$pid"
	sleep 0.3
	curl -s -o /dev/null -w '%{http_code}\n' --unix-socket "$place/sock" http://localhost/page
	kill -QUIT "$pid"
	waited=0
	while kill -0 "$pid" 2>/dev/null && [ $waited -lt 1200 ]; do
		sleep 0.05
		waited=$((waited + 1))
	done
	[ ! -e "$place/sock" ] && echo 'socket gone'
	wait $starter
	status=$?
	cat "$place/error.log"
	return $status
}
run_jemalloc() {
	need sqlite3 || return
	[ -n "$jemalloc" ] || {
		echo 'needs libjemalloc2'
		return 77
	}
	rm -f "$scratch"/rows.db*
	LD_PRELOAD=$jemalloc "${W[@]}" sqlite3 "$scratch/rows.db" <"$scratch/rows.sql" || return
	LD_PRELOAD=$jemalloc "${W[@]}" "$build/testprogs/real/cxx_threads"
}
run_tcmalloc() {
	need sqlite3 || return
	[ -n "$tcmalloc" ] || {
		echo 'needs libtcmalloc-minimal4'
		return 77
	}
	rm -f "$scratch"/rows.db*
	LD_PRELOAD=$tcmalloc "${W[@]}" sqlite3 "$scratch/rows.db" <"$scratch/rows.sql" || return
	LD_PRELOAD=$tcmalloc "${W[@]}" "$build/testprogs/real/cxx_threads"
}
run_linked() {
	need g++ || return
	[ -n "$jemalloc" ] || {
		echo 'needs libjemalloc2'
		return 77
	}
	"${W[@]}" "$scratch/linked"
}
run_tools() {
	need sort xz perl tar || return
	"${W[@]}" sort -n --parallel=2 "$scratch/lines" | sha256sum
	"${W[@]}" xz -T2 -1 -c "$scratch/lines" | "${W[@]}" xz -dc | sha256sum
	# shellcheck disable=SC2016 # the program is perl's
	"${W[@]}" perl -e 'my %h; $h{$_ % 977} .= $_ for 1 .. 200000; my $n = 0; $n += length for values %h; print "$n\n"; print qx(echo child)'
	"${W[@]}" tar -C "$root" -cf - shim/base | "${W[@]}" tar -tf - | sort | head -3
}

all_cases=(
	'sqlite:sqlite3, a script of 200,000 rows'
	'python:python3, JSON, threads, subprocess, multiprocessing'
	'git:git log -p, gc, fsck, blame'
	'redis:redis-server under redis-benchmark'
	'gcc:g++ -O2 of a preprocessed file, with all of its children'
	'cxx:a C++ program with threads and exceptions'
	'bash:bash, a configure-like script'
	'nginx:nginx, a daemon with two workers, reloaded once'
	'jemalloc:sqlite3 and the C++ program on jemalloc, preloaded'
	'tcmalloc:sqlite3 and the C++ program on tcmalloc, preloaded'
	'linked:the C++ program linked with jemalloc'
	'tools:sort, xz -T2, perl, tar in pipelines'
)

median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

# run_case NAME HOW: leaves NAME.HOW.{out,err,status}; prints milliseconds
run_case() {
	local begin=${EPOCHREALTIME/./} status case
	# In a process group of its own: what hangs is killed as a whole, and is a failure.
	set -m
	(run_"$1") </dev/null >"$out/$1.$2.out" 2>"$out/$1.$2.err" &
	case=$!
	set +m
	timeout 600 tail -s 0.01 --pid=$case -f /dev/null || kill -KILL -- "-$case"
	wait $case
	status=$?
	echo $status >"$out/$1.$2.status"
	echo $(((${EPOCHREALTIME/./} - begin) / 1000))
}

same() { cmp -s "$out/$1.bare.$2" "$out/$1.with.$2" && echo yes || echo NO; }

make_inputs
passed=0 failed=0 skipped=0
table=$out/table.md
{
	echo '| program | same status | same output | findings | time with / without (medians) |'
	echo '|---|---|---|---|---|'
} >"$table"
for entry in "${all_cases[@]}"; do
	name=${entry%%:*} words=${entry#*:}
	[ ${#cases[@]} = 0 ] || [[ " ${cases[*]} " == *" $name "* ]] || continue
	W=()
	: >"$out/$name.bare.ms"
	: >"$out/$name.with.ms"
	for ((i = 0; i < rounds; i++)); do
		run_case "$name" bare >>"$out/$name.bare.ms"
		[ "$(cat "$out/$name.bare.status")" != 77 ] || break
	done
	if [ "$(cat "$out/$name.bare.status")" = 77 ]; then
		echo "  skip $name: $(tail -n 1 "$out/$name.bare.out")"
		echo "| $words | skipped: $(tail -n 1 "$out/$name.bare.out") | | | |" >>"$table"
		skipped=$((skipped + 1))
		continue
	fi
	for ((i = 0; i < rounds; i++)); do
		rm -rf "$scratch/dir" "$out/$name".json*
		mkdir -m 700 "$scratch/dir"
		# The report goes to a file, so that standard error is the program's own.
		export WHOHOLDS_DIR=$scratch/dir
		W=("$build/bin/whoholds" run --json="$out/$name.json.%p" -o "$out/$name.report.%p" --)
		run_case "$name" with >>"$out/$name.with.ms"
		unset WHOHOLDS_DIR
	done
	findings=$(cat "$out/$name".json* 2>/dev/null | jq -r '.findings[] | "\(.kind) \(.suppression)"' | sort | uniq -c |
		sed 's/^ *//')
	# Each line: "case kind:pattern  reason".
	unknown=$(echo "$findings" | awk -v name="$name" '
		BEGIN {
			while ((getline line <"testprogs/real/findings.txt") > 0)
				if (line !~ /^#/ && split(line, word, " ") >= 2) known[word[1] " " word[2]] = 1
		}
		NF && !((name " " $3) in known) { print }')
	# A process that gave up its privileges may not remove its recording; it empties it.
	left=$(find "$scratch/dir" -name '*.whr' -printf '%b\n' | awk '$1 > 16' | wc -l)
	status=$(same "$name" status) output=$(same "$name" out)
	[ "$(same "$name" err)" = yes ] || output=NO
	bare=$(median <"$out/$name.bare.ms") with=$(median <"$out/$name.with.ms")
	ratio=$(awk -v a="$with" -v b="$bare" 'BEGIN { printf "%.2f (%.1f s / %.1f s)", a / (b ? b : 1), a / 1000, b / 1000 }')
	count=$(echo "$findings" | awk 'NF { n[$2] += $1 } END { s = ""; for (k in n) s = s (s == "" ? "" : ", ") n[k] " " k; print s == "" ? "none" : s }')
	echo "| $words | $status | $output | $count | $ratio |" >>"$table"
	if [ "$status$output" = yesyes ] && [ -z "$unknown" ] && [ "$left" = 0 ]; then
		passed=$((passed + 1))
		echo "  ok   $name: findings: $count; time $ratio"
	else
		failed=$((failed + 1))
		echo "  FAIL $name: same status: $status, same output: $output; time $ratio"
		[ "$status" = yes ] || echo "       status $(cat "$out/$name.with.status"), without $(cat "$out/$name.bare.status")"
		for kind in out err; do
			cmp -s "$out/$name.bare.$kind" "$out/$name.with.$kind" ||
				diff "$out/$name.bare.$kind" "$out/$name.with.$kind" | head -n 8 | sed "s/^/       $kind: /"
		done
		[ -z "$unknown" ] || printf '       not looked into yet: %s\n' "$unknown"
		[ "$left" = 0 ] || echo "       $left recordings left behind"
	fi
done
[ $rounds = 1 ] || cat "$table"
echo "$passed passed, $failed failed$([ $skipped = 0 ] || echo ", $skipped skipped")"
[ $failed = 0 ] && [ $passed -gt 0 ]
