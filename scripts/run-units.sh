#!/bin/bash
# Runs cmocka programs, eight at a time (they wait much more than they work), and sums up what they report. usage: run-units.sh PROGRAM...
# Prints the output of those that fail; last line `N passed, N failed`.
passed=0 failed=0
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
export dir
# shellcheck disable=SC2016
printf '%s\0' "$@" | xargs -0 -n 1 -P "${UNIT_JOBS:-8}" bash -c '
	name=$(basename "$0")
	CMOCKA_MESSAGE_OUTPUT=tap timeout 300 "$0" >"$dir/$name.out" 2>&1
	echo $? >"$dir/$name.status"; exit 0'
for program in "$@"; do
	out=$dir/$(basename "$program").out
	status=$(cat "$dir/$(basename "$program").status" 2>/dev/null || echo "none")
	ok=$(grep -c '^ok ' "$out"); bad=$(grep -c '^not ok ' "$out")
	if [ "$status" != 0 ] && [ "$bad" = 0 ]; then bad=1; fi      # died before it could say so
	if [ "$ok" = 0 ] && [ "$bad" = 0 ]; then bad=1; echo "$program ran no test"; fi
	passed=$((passed + ok)); failed=$((failed + bad))
	if [ "$bad" != 0 ]; then
		echo "=== $program (exit status $status)"; cat "$out"
	fi
done
echo "$passed passed, $failed failed"
[ $failed = 0 ]
