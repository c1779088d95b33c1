#!/bin/sh
# usage: scripts/deps.sh [build] [test] [real] [stacks] [check] [bench]
#
# Installs the Debian packages that are missing, and nothing else. Quick where nothing is.
# build: the library, the command, the demo. test: what the tests need. real: the servers that
# the tests watch; Debian starts servers that are installed, so `test` brings them only where
# nothing would (a container), and the tests skip what is not there. stacks: what
# scripts/check-stacks can make use of, which skips what is not there. check: the static checks.
# bench: what is measured beside whoholds, and the programs it is measured with.
set -eu

groups=${*:-build}
build='gcc libc6-dev libunwind-dev liblzma-dev libdw-dev libelf-dev libiberty-dev uthash-dev scdoc'
test='check libsubunit-dev g++ python3 python3-jsonschema jq valgrind procps sqlite3 git curl libjemalloc2
	libtcmalloc-minimal4'
stacks='gcc g++ clang rustc libunwind8 jq git sqlite3 redis-server redis-tools'
real='redis-server redis-tools nginx-light'
check='clang clang-format clang-tidy cppcheck shellcheck python3'
# mutrace: not in every Debian; what apt does not know is left out here, and the benchmark says so.
bench='python3 gcc git sqlite3 heaptrack valgrind libjemalloc2'
bench_maybe='mutrace'

wanted=
for group in $groups; do
	case $group in
	build | demo) wanted="$wanted $build" ;;
	test)
		wanted="$wanted $test"
		[ -d /run/systemd/system ] || wanted="$wanted $real"
		;;
	real) wanted="$wanted $real" ;;
	stacks) wanted="$wanted $stacks" ;;
	check) wanted="$wanted $check" ;;
	bench)
		wanted="$wanted $bench"
		[ -d /run/systemd/system ] || wanted="$wanted redis-server redis-tools"
		for package in $bench_maybe; do
			! apt-cache show "$package" >/dev/null 2>&1 || wanted="$wanted $package"
		done
		;;
	*)
		echo "deps.sh: unknown group '$group': build, test, real, stacks, check or bench" >&2
		exit 2
		;;
	esac
done
# shellcheck disable=SC2086 # a list of words
set -- $wanted

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
	echo "deps.sh: not a Debian system, so nothing was installed. Needed, by their Debian names:" >&2
	printf '  %s\n' "$@" | sort -u >&2
	# Somebody who has them from elsewhere goes on.
	[ -n "${WHOHOLDS_DEPS_ELSEWHERE-}" ] || {
		echo "deps.sh: with these installed, set WHOHOLDS_DEPS_ELSEWHERE=1 and try again" >&2
		exit 1
	}
	exit 0
fi

have=$(dpkg-query -W -f '${db:Status-Abbrev}${Package}\n' 2>/dev/null | sed -n 's/^ii *//p')
missing=
for package; do
	echo "$have" | grep -qxF "$package" || case " $missing " in
	*" $package "*) ;;
	*) missing="$missing $package" ;;
	esac
done
[ -n "$missing" ] || exit 0

as_root=
if [ "$(id -u)" != 0 ]; then
	command -v sudo >/dev/null || {
		echo "deps.sh: missing:$missing" >&2
		echo "deps.sh: neither root nor sudo here; run as root: apt-get install$missing" >&2
		exit 1
	}
	as_root=sudo
fi
echo "installing:$missing"
install_missing() {
	# shellcheck disable=SC2086 # a list of words
	$as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o Dpkg::Use-Pty=0 install --no-install-recommends $missing >"$log" 2>&1
}
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# The package lists of a fresh system are empty, and those of an old one name files that are gone.
install_missing || {
	$as_root apt-get -qq update >"$log" 2>&1 || true
	install_missing || {
		tail -n 20 "$log" >&2
		echo "deps.sh: could not install:$missing" >&2
		exit 1
	}
}
