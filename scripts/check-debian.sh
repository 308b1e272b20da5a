#!/bin/bash
# Tests tonicfs on a fresh Debian 12 and a fresh Debian 13, in chroots made by mmdebstrap: `make check-debian`, as root.
# usage: check-debian.sh [bookworm|trixie ...]      (default: both)
# In each chroot it installs the packages, builds without a warning, runs the unit tests, and takes a user's first steps, with
# a mount. Last line: `N passed, N failed`.
# RUN='make check': runs this command instead, as root in the project's folder, after installing its packages.
# DEBIAN_SECS: the time for each release (900; with RUN 3600). Downloads and the fresh systems stay in build/debian for the
# next run. Packages come from this machine's mirror of Debian.
set -u -o pipefail
cd "$(dirname "$0")/.." || exit 1
unset MAKEFLAGS MFLAGS MAKEOVERRIDES MAKELEVEL
here=$PWD cache=$PWD/build/debian run=${RUN:-}
secs=${DEBIAN_SECS:-$([ -n "$run" ] && echo 3600 || echo 900)}
base_days=7
exec </dev/null

[ "$(id -u)" = 0 ] || { echo "check-debian.sh: a chroot needs root" >&2; exit 1; }
scripts/install-deps.sh debian || exit 1
mkdir -p "$cache"

# mirror SUITE DEFAULT: the mirror from which this machine gets that suite
mirror() {
	local uri
	uri=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' "Release: $1" 2>/dev/null | head -n 1)
	echo "${uri:-$2}"
}

# make_base RELEASE: makes the fresh system, a tar file
make_base() {
	local tar=$cache/$1.tar codename debian security options=() line
	[ -z "$(find "$tar" -mtime "-$base_days" 2>/dev/null)" ] || return 0
	codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
	debian=$(mirror "$codename" http://deb.debian.org/debian)
	security=$(mirror "$codename-security" http://deb.debian.org/debian-security)
	# Take over this machine's proxies.
	while read -r line; do options+=("--aptopt=$line"); done < <(apt-config dump 2>/dev/null |
		grep -E '^Acquire::(https?::|Retries|Check-(Valid-Until|Date))' | grep -v '""')
	timeout -k 30 "$secs" mmdebstrap --mode=root --variant=minbase --include=ca-certificates "${options[@]}" "$1" "$cache/$1.new.tar" \
		"deb $debian $1 main" "deb $debian $1-updates main" "deb $security $1-security main" >"$cache/$1.log" 2>&1 &&
		mv "$cache/$1.new.tar" "$tar"
}

# Copies the working tree without build results.
copy_sources() { # TARGET
	mkdir -p "$1"
	if git -C "$here" rev-parse --git-dir >/dev/null 2>&1; then
		git ls-files -z --cached --others --exclude-standard
	else
		find . -path ./build -prune -o -type f -print0
	fi | tar -c --null --ignore-failed-read -T - 2>/dev/null | tar -x -C "$1" --no-same-owner
}

# enter ROOT COMMAND...: runs it in the chroot and in new namespaces, so that all its mounts and processes end with it
enter() {
	local root=$1
	shift
	unshare --mount --pid --fork --kill-child bash -c '
		set -e
		root=$1; shift
		mount --make-rprivate /
		mount -t proc proc "$root/proc"
		mount -t sysfs -o ro sysfs "$root/sys"
		mount -t tmpfs -o mode=755,nosuid tmpfs "$root/dev"
		for device in null zero full random urandom tty; do
			touch "$root/dev/$device"
			mount --bind "/dev/$device" "$root/dev/$device"
		done
		mknod -m 666 "$root/dev/fuse" c 10 229
		mkdir "$root/dev/pts" "$root/dev/shm"
		mount -t devpts -o newinstance,ptmxmode=666,mode=620 devpts "$root/dev/pts"
		ln -s pts/ptmx "$root/dev/ptmx"
		ln -s /proc/self/fd "$root/dev/fd"
		mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs "$root/dev/shm"
		mount --bind "$debs" "$root/var/cache/apt/archives"
		chroot "$root" env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
			TERM=dumb $variables bash -c "cd /src/tonicfs && $*"
	' - "$root" "$@"
}

passed=0 failed=0
# step WHAT COMMAND: runs it in the chroot and counts it; shows the output of a failure
step() {
	local what=$1 since=$SECONDS left=$((deadline - SECONDS))
	shift
	if [ "$left" -gt 0 ] && timeout -k 30 "$left" bash -c 'enter "$@"' - "$root" "$@" >"$log" 2>&1; then
		echo "ok    $release: $what ($((SECONDS - since)) s)"
		passed=$((passed + 1))
		return 0
	fi
	echo "FAIL  $release: $what ($((SECONDS - since)) s)"
	grep -vE '^(cc|gcc|clang|ar) ' "$log" | tail -n 80 | cut -c 1-500
	failed=$((failed + 1))
	return 1
}
export -f enter

# As an ordinary user, without a network.
first_steps='
set -eux
export HOME=$(mktemp -d) PATH=/src/tonicfs/build:$PATH
tonicfs help >/dev/null
tonicfs --version
tonicfs init
check=$(tonicfs workspace add --help | grep -q -e --no-check && echo --no-check) || true
echo 0123456789abcdef0123456789abcdef | tonicfs workspace add acme --account AC0123456789abcdef0123456789abcdef \
	--twilio-url http://127.0.0.1:9 --secret-file - $check
tonicfs campaign add acme radio --number +15551230001
tonicfs workspace list | grep acme
tonicfs status
mkdir $HOME/calls
tonicfs mount $HOME/calls
[ "$(stat -f -c %T $HOME/calls)" = fuseblk ] || mountpoint $HOME/calls
ls $HOME/calls | grep -x acme
ls $HOME/calls/acme | grep -x radio
fusermount3 -u $HOME/calls
'

clean_up() {
	trap - EXIT
	[ -z "${root:-}" ] || rm -rf --one-file-system "$root"
	[ -z "${log:-}" ] || rm -f "$log"
}
trap clean_up EXIT
trap 'exit 1' INT TERM HUP
log=$(mktemp)

prove() {
	release=$1 deadline=$((SECONDS + secs))
	export debs=$cache/$release.debs variables=
	mkdir -p "$debs"
	if ! make_base "$release"; then
		echo "FAIL  $release: mmdebstrap"
		tail -n 20 "$cache/$release.log"
		failed=$((failed + 1))
		return
	fi
	root=$(mktemp -d "$cache/$release.XXXXXX") && chmod 755 "$root" && tar -x -C "$root" -f "$cache/$release.tar" || exit 1
	copy_sources "$root/src/tonicfs"
	cp -L /etc/resolv.conf /etc/hosts "$root/etc"
	ln -sf ../proc/self/mounts "$root/etc/mtab" # as on every installed system
	# Certificates that are installed on this machine only, for pip and npm behind a proxy.
	if compgen -G '/usr/local/share/ca-certificates/*.crt' >/dev/null; then
		cp /usr/local/share/ca-certificates/*.crt "$root/usr/local/share/ca-certificates"
		chroot "$root" update-ca-certificates >/dev/null 2>&1
		variables="PIP_CERT=/etc/ssl/certs/ca-certificates.crt NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt"
	fi
	if [ -n "$run" ]; then
		step 'installs what the tests and the demo need' 'scripts/install-deps.sh build test server demo' && step "$run" "$run"
		cat "$log"
	else
		step 'installs what the build and the unit tests need' 'scripts/install-deps.sh build unit' &&
			step 'could install everything else' 'scripts/install-deps.sh --simulate test server bench demo debian' &&
			step 'builds without a warning' 'make -j2 WERROR=1' &&
			step 'unit tests' 'make -k -j2 WERROR=1 units' &&
			step 'first steps of a user' "setpriv --reuid nobody --regid nogroup --clear-groups bash -c '$first_steps'"
	fi
	rm -rf --one-file-system "$root"
	root=
}

[ $# != 0 ] || set -- bookworm trixie
for release in "$@"; do prove "$release"; done
echo "took $SECONDS s"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
