#!/bin/bash
# Installs the packages that tonicfs needs on Debian 12 and 13, and prints their names; does nothing if all are installed.
# usage: install-deps.sh [--simulate] build|unit|test|server|bench|demo|debian ...        (several groups may be named)
#   build   compiler and libraries       unit    for the unit tests, in addition
#   test    for `make check`             demo    for `make demo`
#   server  an S3 server                 bench   the file systems that `make bench` compares
#   debian  for `make check-debian`
# --simulate asks apt whether it could install them, and installs nothing.
# On another system it lists the missing software by its upstream names, and fails.
# Debian 12 has an SQLCipher older than 4.5; there it comes from bookworm-backports.
set -euo pipefail

# Groups, Debian's package, a probe for other systems (a command, or a library of pkg-config), the upstream name.
# A dash: belongs to the line above.
table='
build             gcc                   command:gcc            GCC 12 or newer
build             make                  command:make           GNU make
build             pkg-config            command:pkg-config     pkg-config
build             libfuse3-dev          library:fuse3          libfuse 3.14 or newer
build             fuse3                 command:fusermount3    fusermount3 of libfuse
build             libcurl4-openssl-dev  library:libcurl        libcurl
build             libssl-dev            library:libcrypto      OpenSSL 3
build             libjansson-dev        library:jansson        Jansson
build             libexpat1-dev         library:expat          Expat
build             libmicrohttpd-dev     library:libmicrohttpd  GNU libmicrohttpd
build             libsqlcipher-dev      library:sqlcipher      SQLCipher 4.5 or newer
unit,test         libcmocka-dev         library:cmocka         cmocka
test              chromium              command:chromium       Chromium
test              clang                 command:clang          Clang with compiler-rt
test              libclang-rt-dev       -                      -
test              cppcheck              command:cppcheck       Cppcheck 2.10 or newer
test              mandoc                command:mandoc         mandoc
test,demo         python3-venv          command:python3        Python 3.11 or newer with venv and pip
test              python3-pip           -                      -
test              nodejs                command:node           Node.js
test              npm                   command:npm            npm
test,demo         rsync                 command:rsync          rsync
test,demo         attr                  command:getfattr       attr
test              acl                   command:getfacl        acl
test              systemd               command:systemd-analyze  systemd 250 or newer
test,demo         curl                  command:curl           curl
test              util-linux            command:setpriv        util-linux
test,demo         procps                command:pgrep          procps
server,demo       ceph-mon              command:ceph-mon       Ceph 16 or newer, with its RADOS Gateway
server,demo       ceph-osd              -                      -
server,demo       ceph-mgr              -                      -
server,demo       ceph-common           -                      -
server,demo       radosgw               -                      -
demo              ffmpeg                command:ffprobe        FFmpeg
bench             s3fs                  command:s3fs           s3fs-fuse
bench             rclone                command:rclone         rclone
bench             iproute2              command:ip             iproute2
debian            mmdebstrap            command:mmdebstrap     mmdebstrap
'

fail() {
	printf 'install-deps.sh: %s\n' "$1" >&2
	[ $# = 1 ] || printf '%s\n' "${@:2}" >&2
	exit 1
}

simulate=
[ "${1:-}" != --simulate ] || { simulate=--simulate; shift; }
groups=
for group in "$@"; do
	case $group in
	build|unit|server|bench|debian) groups="$groups $group" ;;
	test|demo) groups="$groups build $group" ;;
	*) echo "install-deps.sh: unknown group '$group' (build, unit, test, server, bench, demo, debian)" >&2; exit 2 ;;
	esac
done

# Prints the lines of the table that belong to the wanted groups.
wanted() {
	awk -v groups="$groups" '
		BEGIN { split(groups, list, " "); for (i in list) want[list[i]] = 1 }
		{ split($1, of, ","); for (i in of) if (of[i] in want) { print; break } }' <<<"$table"
}

is_there() { # PROBE
	case $1 in
	command:*) PATH=$PATH:/usr/sbin:/sbin command -v "${1#*:}" >/dev/null ;;
	library:*) command -v pkg-config >/dev/null && pkg-config --exists "${1#*:}" ;;
	esac
}

system=$(. "${OS_RELEASE:-/etc/os-release}" 2>/dev/null && echo "${ID:-} ${VERSION_ID:-} ${VERSION_CODENAME:-}") || true
case $system in
"debian 12 "*|"debian 13 "*) ;;
*)
	absent=() packages=
	while read -r _ package probe name; do
		[ -n "$package" ] && [ "$probe" != - ] || continue
		is_there "$probe" || { absent+=("  $name"); packages="$packages $package"; }
	done < <(wanted)
	[ ${#absent[@]} = 0 ] || fail "this is neither Debian 12 nor 13; install by your own means, with the libraries' headers:" \
		"${absent[@]}" "(Debian's packages:$packages)"
	exit 0 ;;
esac
codename=${system##* }

as_root() {
	if [ "$(id -u)" = 0 ]; then "$@"; return; fi
	command -v sudo >/dev/null || fail "apt needs root, and there is no sudo; as root, run: $0 ${simulate:+$simulate }${groups# }"
	sudo "$@"
}

is_installed() {
	[ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# The package with sanitizers and libFuzzer for this release's default clang.
clang_rt() {
	local clang
	clang=$({ dpkg-query -W -f='Depends: ${Depends}\n' clang; apt-cache show clang; } 2>/dev/null |
		sed -nE 's/^Depends: (.*[ ,])?(clang-[0-9]+).*/\2/p' | head -n 1) || true
	echo "libclang-rt-${clang:+${clang#clang-}-}dev"
}

# Sets missing.
find_missing() {
	local package have
	missing=
	for package in $(wanted | awk '{ print $2 }' | sort -u); do
		case $package in
		nodejs) command -v node >/dev/null && continue ;;     # another node than Debian's will do
		npm) command -v npm >/dev/null && continue ;;
		libclang-rt-dev) package=$(clang_rt) ;;
		libsqlcipher-dev)
			have=$(dpkg-query -W -f='${Version}' libsqlcipher-dev 2>/dev/null || true)
			[ -n "$have" ] && dpkg --compare-versions "$have" ge 4.5 && continue
			missing="$missing $package"
			continue ;;
		esac
		is_installed "$package" || missing="$missing $package"
	done
}

find_missing
[ -n "$missing" ] || exit 0

log=$(mktemp)
trap 'rm -f "$log"' EXIT
needs_backports=
case "$codename $missing " in "bookworm "*" libsqlcipher-dev "*) needs_backports=yes ;; esac
if [ -n "$needs_backports" ] && ! grep -rqs 'bookworm-backports' /etc/apt/sources.list /etc/apt/sources.list.d; then
	mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Release: bookworm' 2>/dev/null | head -n 1) || true
	echo "adding bookworm-backports to apt's sources (for SQLCipher 4.6)"
	echo "deb ${mirror:-http://deb.debian.org/debian} bookworm-backports main" |
		as_root tee /etc/apt/sources.list.d/tonicfs-backports.list >/dev/null
fi
as_root apt-get update -qq || echo "apt-get update failed; trying with the lists that are there" >&2
find_missing                              # which version of clang, the lists say
[ -z "$needs_backports" ] ||
	missing="${missing/ libsqlcipher-dev/} libsqlcipher-dev/bookworm-backports libsqlcipher1/bookworm-backports"
if [ -n "$simulate" ]; then echo "could install:$missing"; else echo "installing:$missing"; fi
# shellcheck disable=SC2086
as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $simulate --no-install-recommends $missing >"$log" 2>&1 || {
	cat "$log" >&2
	exit 1
}
