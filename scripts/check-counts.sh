# shellcheck shell=bash
# Counts the results of test runs. Sourced by check.sh and check-server.sh in the project's folder.
# Prints a line for each step that passes, and the output of a step that fails. Last line: `N passed, N failed`, with `, N skipped` when any.
# Logs and results (JUnit XML) are in build/check.
out=build/check
passed=0 failed=0 skipped=0
begin=$SECONDS
python=build/venv/bin/python
suite_secs=900 # of one run of pytest; each test has a limit of its own, far below
mkdir -p "$out" || exit 1

finish() {
	trap - EXIT
	if [ $((passed + failed)) = 0 ]; then
		echo "no test ran"
		failed=1
	fi
	echo "took $((SECONDS - begin)) s"
	if [ "$skipped" = 0 ]; then
		echo "$passed passed, $failed failed"
	else
		echo "$passed passed, $failed failed, $skipped skipped"
	fi
	[ "$failed" = 0 ]
	exit
}
interrupted() {
	echo "interrupted"
	failed=$((failed + 1))
	exit 1
}
trap finish EXIT
trap interrupted INT TERM HUP

# count WHAT LOG SECS PASSED FAILED [SKIPPED]
count() {
	passed=$((passed + $4)) failed=$((failed + $5)) skipped=$((skipped + ${6:-0}))
	if [ "$5" = 0 ]; then
		echo "ok    $1: $4 passed${6:+, $6 skipped} ($3 s)"
	else
		echo "FAIL  $1: $4 passed, $5 failed${6:+, $6 skipped} ($3 s)"
		head -c 60000 "$2"
	fi
}

# suite NAME WHAT COMMAND...: runs pytest and counts its results.
suite() {
	local name=$1 what=$2
	shift 2
	local log=$out/$name.log xml=$out/$name.xml since=$SECONDS status numbers
	timeout -k 60 "$suite_secs" "$@" -q --no-header --tb=short --show-capture=all -p no:cacheprovider -o junit_family=xunit2 \
		--junitxml="$xml" >"$log" 2>&1
	status=$?
	numbers=$("$python" - "$xml" 2>>"$log" <<-'P'
		import sys, xml.etree.ElementTree as tree
		suites = list(tree.parse(sys.argv[1]).iter("testsuite"))
		all, bad, skipped = (sum(int(s.get(k, 0)) for s in suites) for k in ("tests", "failures", "skipped"))
		bad += sum(int(s.get("errors", 0)) for s in suites)
		print(max(0, all - bad - skipped), bad, skipped)
	P
	)
	if [ -z "$numbers" ]; then
		echo "FAIL  $what: ended with status $status and no result (124: not within $suite_secs s)"
		tail -n 80 "$log"
		failed=$((failed + 1))
		return
	fi
	# shellcheck disable=SC2086
	set -- $numbers
	# pytest failed outside of a test, for example in an import or in a session fixture: count it as a failure.
	if [ $status != 0 ] && [ "$2" = 0 ]; then set -- "$1" 1 "$3"; fi
	[ "$3" = 0 ] && set -- "$1" "$2"
	[ "$2" = 0 ] || sed -n '/^=* \(FAILURES\|ERRORS\) =*$/,$p' "$log" | cut -c 1-300 >"$log.short"
	count "$what" "$log.short" $((SECONDS - since)) "$@"
	[ $# -lt 3 ] || grep -ohE '<skipped [^>]*message="[^"]*"' "$xml" | sed 's/.*message="//; s/"$//' | sort | uniq -c | sed 's/^/      skipped /'
}
