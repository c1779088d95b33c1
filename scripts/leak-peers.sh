#!/bin/bash
# usage: scripts/leak-peers.sh [--build DIR]
#
# What is lost at the end of real programs, by whoholds and by valgrind's memcheck, side by side. A block that
# whoholds says is lost and memcheck can still reach is a false alarm: it fails. (Memcheck's count has
# what it calls definitely, indirectly and possibly lost.)
set -u
cd "$(dirname "$0")/.." || exit 1
build=$PWD/build
[ "${1-}" != --build ] || build=$(realpath "$2")
if ! command -v valgrind >/dev/null; then
	echo 'valgrind is not installed'
	echo '0 passed, 0 failed, 1 skipped'
	exit 0
fi
scratch=$(mktemp -d /tmp/peers.XXXXXX)
trap 'rm -rf "$scratch"' EXIT
mkdir -m 700 "$scratch/dir"
export WHOHOLDS_DIR=$scratch/dir LC_ALL=C
printf 'int main(void) { return 0; }\n' >"$scratch/m.c"
git init -q "$scratch/repo" && (cd "$scratch/repo" && seq 100 >numbers && git add . && git -c user.name=a -c user.email=a@b commit -q -m one)

# shellcheck disable=SC2016 # awk's own
programs=(
	'tr a b'
	'mktemp -u'
	'sort -n /etc/passwd'
	'sort -u /etc/passwd'
	'ls -la /'
	'sed -n s/a/b/p /etc/passwd'
	'awk {print$1} /etc/passwd'
	"gcc -E $scratch/m.c"
	"git -C $scratch/repo blame numbers"
	"git -C $scratch/repo fsck --full"
	"git -C $scratch/repo log -p"
	'sqlite3 :memory: .help'
	"perl -e my%h;\$h{\$_%977}.=\$_for+1..2000"
	"$build/testprogs/leak_three"
	"$build/testprogs/leak_three_clean"
	"$build/testprogs/real/cxx_threads"
)
passed=0 failed=0
: >"$build/peers.md"
row() {
	echo "$1" | tee -a "$build/peers.md"
}
row '| program | lost, by whoholds | by memcheck: definitely and indirectly | possibly |'
row '|---|---|---|---|'
for line in "${programs[@]}"; do
	read -r -a command <<<"$line"
	"$build/bin/whoholds" run --json="$scratch/json" --set children=no -o "$scratch/text" "${command[@]}" >/dev/null 2>&1 </dev/null
	read -r bytes blocks < <(jq -sr '[.[].findings[] | select(.kind == "leak")] |
		"\(map(.bytes + .indirect_bytes) | add // 0) \(map(.count) | add // 0)"' "$scratch/json")
	rm -f "$scratch/json" "$scratch/text"
	valgrind --leak-check=full --run-libc-freeres=no --run-cxx-freeres=no --log-file="$scratch/vg" "${command[@]}" >/dev/null 2>&1 </dev/null
	read -r sure maybe count < <(tr -d ',' <"$scratch/vg" | awk '
		/definitely lost:/ { sure += $4; count += $7 } /indirectly lost:/ { sure += $4; count += $7 }
		/possibly lost:/ { maybe += $4 } END { print sure + 0, maybe + 0, count + 0 }')
	name=${line//$build\/testprogs\//}
	row "| \`${name//$scratch\//}\` | $bytes bytes, from $blocks blocks | $sure bytes, $count blocks | $maybe bytes |"
	if [ "$bytes" -le $((sure + maybe)) ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "  FAIL $line: whoholds says $bytes bytes, memcheck $sure and perhaps $maybe"
	fi
done
echo "$passed passed, $failed failed"
[ $failed = 0 ]
