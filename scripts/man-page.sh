#!/bin/bash
# Writes the lists of commands and options, as the program has them, into the manual page. usage: man-page.sh PROGRAM PAGE
set -euo pipefail
[ $# = 2 ] || { sed -n 2p "$0" >&2; exit 2; }
program=$1 page=$2
new=$(mktemp)
trap 'rm -f "$new"' EXIT
{
	sed '/^\.\\" commands: begin/q' "$page"
	"$program" help --manual
	sed -n '/^\.\\" commands: end/,$p' "$page"
} >"$new"
cat "$new" >"$page"
