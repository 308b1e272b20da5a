#!/bin/bash
# Installs what tonicfs needs from Debian's packages; says what it installs; does nothing where all is there.
# usage: install-deps.sh build|test|server|bench|demo ...        (several groups may be named)
#   build   compiler and libraries       test   what `make check` needs besides       demo   the servers of `make demo`
#   server  an S3 server                 bench  the file systems that `make bench` compares with
# Debian 12 carries an SQLCipher older than 4.5; there it comes from bookworm-backports.
set -euo pipefail

build_packages="gcc make pkg-config libfuse3-dev fuse3 libcurl4-openssl-dev libssl-dev libjansson-dev libexpat1-dev libmicrohttpd-dev libsqlcipher-dev"
test_packages="chromium systemd clang libclang-rt-14-dev libcmocka-dev python3-venv python3-pip nodejs npm rsync attr acl curl util-linux procps"
demo_packages="ceph-mon ceph-osd ceph-mgr ceph-common radosgw python3-venv curl rsync attr ffmpeg"
server_packages="ceph-mon ceph-osd ceph-mgr ceph-common radosgw"
bench_packages="s3fs rclone iproute2"

as_root() {
	if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

wanted=
for group in "$@"; do
	case $group in
	build) wanted="$wanted $build_packages" ;;
	test) wanted="$wanted $build_packages $test_packages" ;;
	server) wanted="$wanted $server_packages" ;;
	bench) wanted="$wanted $bench_packages" ;;
	demo) wanted="$wanted $build_packages $demo_packages" ;;
	*) echo "install-deps.sh: unknown group '$group' (build, test, server, bench, demo)" >&2; exit 2 ;;
	esac
done

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
	echo "install-deps.sh: no apt here; install by your own means:$wanted" >&2
	exit 0
fi

is_installed() {
	[ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

missing=
for package in $(printf '%s\n' $wanted | sort -u); do
	case $package in
	nodejs) command -v node >/dev/null && continue ;;     # another node than Debian's will do
	npm) command -v npm >/dev/null && continue ;;
	libsqlcipher-dev)
		have=$(dpkg-query -W -f='${Version}' libsqlcipher-dev 2>/dev/null || true)
		[ -n "$have" ] && dpkg --compare-versions "$have" ge 4.5 && continue
		missing="$missing $package"; continue ;;
	esac
	is_installed "$package" || missing="$missing $package"
done
[ -z "$missing" ] && exit 0

echo "installing:$missing"
export DEBIAN_FRONTEND=noninteractive
codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
options=
case " $missing " in
*" libsqlcipher-dev "*)
	if [ "$codename" = bookworm ]; then
		if ! grep -rqs 'bookworm-backports' /etc/apt/sources.list /etc/apt/sources.list.d; then
			mirror=$(grep -rhoE 'https?://[^ ]*/debian/?( |$)' /etc/apt/sources.list /etc/apt/sources.list.d 2>/dev/null | head -n 1 | tr -d ' ' || true)
			echo "adding bookworm-backports to apt's sources (for SQLCipher 4.6)"
			echo "deb ${mirror:-http://deb.debian.org/debian} bookworm-backports main" |
				as_root tee /etc/apt/sources.list.d/tonicfs-backports.list >/dev/null
		fi
		missing="${missing/ libsqlcipher-dev/} libsqlcipher-dev/bookworm-backports libsqlcipher1/bookworm-backports"
	fi ;;
esac
as_root apt-get update -qq || echo "apt-get update failed; trying with the lists that are there" >&2
# shellcheck disable=SC2086
as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $options $missing >/tmp/tonicfs-apt.$$ 2>&1 || {
	cat /tmp/tonicfs-apt.$$ >&2; rm -f /tmp/tonicfs-apt.$$; exit 1; }
rm -f /tmp/tonicfs-apt.$$
