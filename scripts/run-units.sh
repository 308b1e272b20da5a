#!/bin/bash
# Runs cmocka programs and sums up what they report. usage: run-units.sh PROGRAM...
# Prints the output of those that fail; last line `N passed, N failed`.
passed=0 failed=0
out=$(mktemp) || exit 1
trap 'rm -f "$out"' EXIT
for program in "$@"; do
	CMOCKA_MESSAGE_OUTPUT=tap timeout 300 "$program" >"$out" 2>&1
	status=$?
	ok=$(grep -c '^ok ' "$out"); bad=$(grep -c '^not ok ' "$out")
	if [ $status -ne 0 ] && [ "$bad" = 0 ]; then bad=1; fi      # died before it could say so
	if [ "$ok" = 0 ] && [ "$bad" = 0 ]; then bad=1; echo "$program ran no test"; fi
	passed=$((passed + ok)); failed=$((failed + bad))
	if [ "$bad" != 0 ]; then
		echo "=== $program (exit status $status)"; cat "$out"
	fi
done
echo "$passed passed, $failed failed"
[ $failed = 0 ]
