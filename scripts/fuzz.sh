#!/bin/bash
# Runs fuzzers that `make fuzzers` has built.
# usage: fuzz.sh FOLDER brief            all fuzzers, a fixed number of inputs each: a part of `make check`
#        fuzz.sh FOLDER NAME [SECS]      one fuzzer for SECS seconds (60); new inputs are added to build/fuzz/corpus/NAME
# An input that crashes, leaks or hangs is kept as tests/fuzz/corpus/NAME/crash-…: give it a name that says what it is,
# and keep it when the code has been fixed. Last line of brief: `N passed, N failed`.
set -u -o pipefail
cd "$(dirname "$0")/.." || exit 1
folder=$1 what=${2:-brief} secs=${3:-60}
export ASAN_OPTIONS=allocator_may_return_null=1:detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
runs=${FUZZ_RUNS:-20000}

# fuzz NAME ARGUMENT...: reads seeds from corpus/NAME; new inputs go to the first folder, the build's.
fuzz() {
	local name=$1
	shift
	mkdir -p "$folder/corpus/$name"
	"$folder/fuzz_$name" -max_len=4096 -timeout=10 -rss_limit_mb=1024 -print_final_stats=0 -verbosity=0 \
		-artifact_prefix="tests/fuzz/corpus/$name/" "$@"
}

if [ "$what" != brief ]; then
	[ -x "$folder/fuzz_$what" ] || { echo "fuzz.sh: there is no target '$what'" >&2; exit 2; }
	fuzz "$what" -verbosity=1 -max_total_time="$secs" "$folder/corpus/$what" "tests/fuzz/corpus/$what"
	exit
fi

passed=0 failed=0
scratch=$(mktemp -d) || exit 1 # what is new goes there, and away: the same inputs each time
trap 'rm -rf "$scratch"' EXIT
log=$scratch/log
for program in "$folder"/fuzz_*; do
	[ -x "$program" ] || continue
	name=${program##*/fuzz_}
	mkdir "$scratch/$name"
	# Every seed, then inputs derived from them.
	if fuzz "$name" -seed=1 -runs="$runs" "$scratch/$name" "tests/fuzz/corpus/$name" >"$log" 2>&1; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "=== fuzz_$name"
		tail -n 60 "$log"
	fi
done
[ $((passed + failed)) -gt 0 ] || { echo "no fuzzer ran"; failed=1; }
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
