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
build='gcc libc6-dev libunwind-dev libdw-dev libelf-dev libiberty-dev uthash-dev scdoc'
test='check libsubunit-dev g++ python3 python3-jsonschema jq valgrind procps sqlite3 git curl perl xz-utils strace libjemalloc2
	libtcmalloc-minimal4 libsqlite3-dev liblmdb-dev libgtest-dev'
# Libraries that test programs try pairs on, each of which is skipped where its library is missing, with a word.
test_maybe='libleveldb-dev librocksdb-dev libpq-dev libmariadb-dev libcurl4-openssl-dev libssl-dev zlib1g-dev libbz2-dev liblzma-dev
	libzstd-dev libglib2.0-dev libxml2-dev mariadb-server-core libmimalloc-dev libtalloc-dev libapr1-dev libdb-dev'
stacks='gcc g++ clang rustc libunwind8 jq git sqlite3 redis-server redis-tools'
real='redis-server redis-tools nginx-light'
real_maybe='postgresql'
check='clang clang-format clang-tidy cppcheck shellcheck python3'
# mutrace: not in every Debian; what apt does not know is left out here, and the benchmark says so.
bench='python3 gcc git sqlite3 libsqlite3-dev heaptrack valgrind libjemalloc2 wrk'
bench_maybe='mutrace'

# No init system runs that would start an installed server.
nothing_starts() {
	[ ! -d /run/systemd/system ] && [ ! -e /run/initctl ] && [ ! -d /run/openrc ]
}

wanted=''
maybe=''
for group in $groups; do
	case $group in
	build | demo) wanted="$wanted $build" ;;
	test)
		wanted="$wanted $test"
		maybe="$maybe $test_maybe"
		! nothing_starts || wanted="$wanted $real" maybe="$maybe $real_maybe"
		;;
	real) wanted="$wanted $real" ;;
	stacks) wanted="$wanted $stacks" ;;
	check) wanted="$wanted $check" ;;
	bench)
		wanted="$wanted $bench"
		[ -d /run/systemd/system ] || wanted="$wanted redis-server redis-tools nginx-light"
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

# Installed, whether or not it is held back from upgrades.
have=$(dpkg-query -W -f '${db:Status-Abbrev}${Package}\n' 2>/dev/null | sed -n 's/^.i *//p')
missing_of() { # PACKAGE...
	for package; do
		echo "$have" | grep -qxF "$package" || echo "$package"
	done | sort -u | sed 's/^/ /' | tr -d '\n'
}
missing=$(missing_of "$@")
# What can be done without, as far as apt knows of it.
less=
# shellcheck disable=SC2086 # a list of words
for package in $(missing_of $maybe); do
	[ -n "$missing" ] || apt-cache show "$package" >/dev/null 2>&1 || continue
	less="$less $package"
done
[ -n "$missing$less" ] || exit 0

as_root=
if [ "$(id -u)" != 0 ]; then
	command -v sudo >/dev/null || {
		echo "deps.sh: neither root nor sudo here; run as root: apt-get install$missing" >&2
		exit 1
	}
	as_root=sudo
	# It may ask for a password, and says itself what it has against us.
	sudo env true || {
		echo "deps.sh: sudo did not let us; run as root: apt-get install$missing" >&2
		exit 1
	}
fi
echo "installing:$missing$less"
log=$(mktemp)
trap 'rm -f "$log" "$log.lists"' EXIT
apt() { # apt COMMAND...: quiet, asks nothing, and waits for another one that is at work (a new machine's first upgrade)
	$as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 \
		-o Acquire::Retries=2 "$@" </dev/null 2>&1
}
install_missing() {
	# shellcheck disable=SC2086 # a list of words
	[ -z "$missing" ] || apt install --no-install-recommends $missing >"$log"
}
# The package lists of a fresh system are empty, and those of an old one name files that are gone.
install_missing || {
	apt update >"$log.lists" || true
	install_missing || {
		# Where the lists could not be had, that is the cause of all the rest.
		grep -E '^(E|W|Err)' "$log.lists" | head -n 10 >&2
		tail -n 20 "$log" >&2
		echo "deps.sh: could not install:$missing" >&2
		exit 1
	}
}
# One that can't be had must not keep the others away.
# shellcheck disable=SC2086 # a list of words
[ -z "$less" ] || apt install --no-install-recommends $less >"$log" || for package in $less; do
	apt install --no-install-recommends "$package" >"$log" || echo "deps.sh: without $package; tests of it are skipped"
done
