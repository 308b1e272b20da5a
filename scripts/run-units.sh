#!/bin/bash
# Runs cmocka programs, six in parallel (they mostly wait), and sums up their results. usage: run-units.sh PROGRAM...
# Prints the output of those that fail; last line `N passed, N failed`, with `, N skipped` when any.
passed=0 failed=0 skipped=0
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
export dir
printf '%s\0' "$@" | xargs -0 -n 1 -P "${UNIT_JOBS:-6}" bash -c '
	name=$(basename "$0")
	CMOCKA_MESSAGE_OUTPUT=tap timeout 300 "$0" >"$dir/$name.out" 2>&1
	echo $? >"$dir/$name.status"; exit 0'
for program in "$@"; do
	out=$dir/$(basename "$program").out
	status=$(cat "$dir/$(basename "$program").status" 2>/dev/null || echo "none")
	ok=$(grep -c '^ok ' "$out"); skips=$(grep -c '^not ok .*# SKIP' "$out")
	bad=$(($(grep -c '^not ok ' "$out") - skips))
	if [ "$status" != 0 ] && [ "$bad" = 0 ]; then bad=1; fi      # died before it could say so
	if [ "$ok" = 0 ] && [ "$bad" = 0 ] && [ "$skips" = 0 ]; then bad=1; echo "$program ran no test"; fi
	passed=$((passed + ok)); failed=$((failed + bad)); skipped=$((skipped + skips))
	if [ "$bad" != 0 ]; then
		echo "=== $program (exit status $status)"; cat "$out"
	fi
done
if [ $skipped = 0 ]; then
	echo "$passed passed, $failed failed"
else
	echo "$passed passed, $failed failed, $skipped skipped"
fi
[ $failed = 0 ]
