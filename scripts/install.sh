#!/bin/bash
# usage: install.sh PROGRAM DESTDIR PREFIX          installs the program, manual page, completion and units
#        install.sh --remove DESTDIR PREFIX         removes them, and nothing else
#
# mount(8) looks for mount.tonicfs in /sbin only, so a line of type `tonicfs` in /etc/fstab needs PREFIX=/usr. One of type
# `fuse.tonicfs` works with any PREFIX that is in root's PATH: mount.fuse3 finds the program by its name.
set -euo pipefail
[ $# = 3 ] || { sed -n '2,3s/^# //p' "$0" >&2; exit 2; }
here=$(cd "$(dirname "$0")/.." && pwd)
program=$1 dest=$2 prefix=${3%/}
case $prefix in /*|'') ;; *) echo "install.sh: PREFIX must be absolute, not '$prefix'" >&2; exit 2 ;; esac

bin=$prefix/bin/tonicfs
helper=$prefix/sbin/mount.tonicfs
man=$prefix/share/man/man1/tonicfs.1
completion=$prefix/share/bash-completion/completions/tonicfs
units=$prefix/lib/systemd/user

if [ "$program" = --remove ]; then
	for file in "$bin" "$helper" "$man" "$completion" "$units/tonicfs.service" "$units/tonicfs-serve.service"; do
		if [ -e "$dest$file" ] || [ -L "$dest$file" ]; then
			rm -f -- "$dest$file"
			echo "removed $dest$file"
		fi
	done
	exit 0
fi

[ -x "$program" ] || { echo "install.sh: '$program' is not there; run make first" >&2; exit 1; }

# put MODE SOURCE TARGET
put() {
	install -D -m "$1" -- "$2" "$dest$3"
	echo "installed $dest$3"
}

put 755 "$program" "$bin"
mkdir -p -- "$dest${helper%/*}"
ln -sfn ../bin/tonicfs "$dest$helper"
echo "installed $dest$helper"
[ ! -e "$here/src/cli/tonicfs.1" ] || put 644 "$here/src/cli/tonicfs.1" "$man"
put 644 "$here/scripts/completion/tonicfs.bash" "$completion"
edited=$(mktemp)
trap 'rm -f "$edited"' EXIT
for unit in tonicfs.service tonicfs-serve.service; do
	sed "s|@BINDIR@|$prefix/bin|g" "$here/scripts/systemd/$unit" >"$edited"
	put 644 "$edited" "$units/$unit"
done
