#!/bin/bash
# Updates the manual page's lists of commands and options from the program. usage: man-page.sh PROGRAM PAGE
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
