#!/bin/bash
# The steps of `make check` after install-deps: lint, builds with gcc and clang without a warning, unit tests with both and with
# ASan and UBSan, fuzzers, end-to-end tests with the normal and the sanitized program, and the fault suite with a program that has
# fault points (random sequences of faults begin at FAULT_SEED, by default a new one each time).
# Prints a line for each step that passes, and the output of a step that fails. Last line: `N passed, N failed`, with `, N skipped` when any.
# CHECK_JOBS: parallel compilers (2). CHECK_E2E_WORKERS: parallel end-to-end tests (4: they mostly wait).
# CHECK_ASAN_E2E: pytest -k expression for the sanitized run (all).
# Logs and results (JUnit XML) stay in build/check.
set -u -o pipefail
cd "$(dirname "$0")/.." || exit 1
unset MAKEFLAGS MFLAGS MAKEOVERRIDES MAKELEVEL
export LC_ALL=C.UTF-8
exec </dev/null

jobs=${CHECK_JOBS:-2}
# shellcheck source=scripts/check-counts.sh
. scripts/check-counts.sh
rm -f "$out"/*

# build NAME WHAT ARGUMENT...: runs make; a failed build counts as one failure.
build() {
	local name=$1 what=$2
	shift 2
	local log=$out/$name.log since=$SECONDS
	if make -j"$jobs" WERROR=1 "$@" >"$log" 2>&1; then
		echo "ok    $what ($((SECONDS - since)) s)"
		return 0
	fi
	echo "FAIL  $what"
	grep -vE '^(cc|gcc|clang|ar) ' "$log" | head -n 60
	failed=$((failed + 1))
	return 1
}

# units NAME WHAT ARGUMENT...: the unit tests of a build.
units() {
	local name=$1 what=$2
	shift 2
	local log=$out/$name.log since=$SECONDS status line
	make -s WERROR=1 "$@" units >"$log" 2>&1
	status=$?
	line=$(grep -E '^[0-9]+ passed, [0-9]+ failed(, [0-9]+ skipped)?$' "$log" | tail -n 1)
	if [ -z "$line" ] || { [ $status != 0 ] && [[ $line == *", 0 failed"* ]]; }; then
		echo "FAIL  $what"
		tail -n 60 "$log"
		failed=$((failed + 1))
		return
	fi
	# shellcheck disable=SC2086 # numbers
	count "$what" "$log" $((SECONDS - since)) ${line//[^0-9 ]/}
}

# e2e NAME WHAT BINARY [PYTEST-ARGUMENT...]
e2e() {
	local name=$1 what=$2 binary=$3
	shift 3
	suite "$name" "$what" env TONICFS_BINARY="$PWD/$binary" \
		"$python" -m pytest -n "${CHECK_E2E_WORKERS:-4}" tests/e2e "$@"
}

# summed NAME WHAT COMMAND...: a command whose last line is `N passed, N failed`.
summed() {
	local name=$1 what=$2
	shift 2
	local log=$out/$name.log since=$SECONDS line
	"$@" >"$log" 2>&1
	line=$(grep -E '^[0-9]+ passed, [0-9]+ failed$' "$log" | tail -n 1)
	[ -n "$line" ] || line='0 passed, 1 failed'
	# shellcheck disable=SC2086 # numbers
	count "$what" "$log" $((SECONDS - since)) ${line//[^0-9 ]/}
}

build lint-venv 'tools of lint' build/lint-venv/.done && summed lint 'lint' scripts/lint.sh
build gcc 'gcc build, warnings are errors' CC=gcc all
gcc=$?
[ $gcc = 0 ] && units gcc-units 'unit tests (gcc)' -j"$jobs" CC=gcc
build clang 'clang build, warnings are errors' CC=clang BUILD=build/clang all &&
	units clang-units 'unit tests (clang)' -j"$jobs" CC=clang BUILD=build/clang
build asan 'gcc build with ASan and UBSan' CC=gcc SANITIZE=1 BUILD=build/asan all
asan=$?
[ $asan = 0 ] && units asan-units 'unit tests (ASan, UBSan)' -j"$jobs" CC=gcc SANITIZE=1 BUILD=build/asan

# A fixed number of inputs for each fuzzer, made from the seeds.
build fuzz 'fuzzers, by clang' fuzzers && summed fuzz-run 'fuzzers' scripts/fuzz.sh build/fuzz brief

if [ -n "$(compgen -G 'tests/e2e/test_*.py')" ] && build venv 'Python for the end-to-end tests' build/venv/.done; then
	[ $gcc = 0 ] && e2e e2e 'end-to-end tests' build/tonicfs
	# Not again: the stand-in's own tests, which do not run the program, and hardening, which a sanitized build does not have.
	[ $asan = 0 ] && e2e asan-e2e 'end-to-end tests (ASan, UBSan)' build/asan/tonicfs \
		--ignore-glob='*/test_standin*' --ignore-glob='*/test_hardening*' ${CHECK_ASAN_E2E:+-k "$CHECK_ASAN_E2E"}
	if build fault 'gcc build with fault points' CC=gcc BUILD=build/fault CFLAGS='-O1 -g -DTONICFS_FAULTS' all; then
		export FAULT_SEED=${FAULT_SEED:-$((RANDOM * 32768 + RANDOM))}
		suite faults "fault suite (random sequences from seed $FAULT_SEED)" tests/fault/run.sh build/fault/tonicfs
	fi
fi
