#!/bin/bash
# Checks what no test runs: the C's layout (clang-format), C (clang-tidy, cppcheck), shell scripts (shellcheck), Python (ruff),
# the manual page (mandoc), which room includes which, and SQL (tests/lint). usage: lint.sh [CHECK...]      all checks by default
# CHECK: layout, tidy, cppcheck, shell, python, manual, rooms, sql.
# CHECK_JOBS: how many at once (2). Last line: `N passed, N failed`.
set -u -o pipefail
cd "$(dirname "$0")/.." || exit 1
unset MAKEFLAGS MFLAGS MAKEOVERRIDES MAKELEVEL
export LC_ALL=C.UTF-8
jobs=${CHECK_JOBS:-2}
tools=build/lint-venv/bin

# All files of a kind, those too that are not in git yet.
files() { # PATTERN...
	if git rev-parse --git-dir >/dev/null 2>&1; then
		git ls-files -z --cached --others --exclude-standard -- "$@" | xargs -0 ls -d 2>/dev/null
	else
		local pattern
		for pattern in "$@"; do find . -path ./build -prune -o -path "./$pattern" -print; done
	fi
}

layout() {
	files 'src/*.[ch]' 'tests/*.[ch]' | xargs "$tools/clang-format" --dry-run -Werror
}

tidy() {
	make -s -k -j"$jobs" tidy 2>&1 | grep -vE '^[0-9]+ warnings? (and [0-9]+ errors? )?generated|^Error while processing|^make'
	[ "${PIPESTATUS[0]}" = 0 ]
}

# Only what is wrong or slow: its style is clang-tidy's business, and differs from version to version.
run_cppcheck() {
	cppcheck -q -j"$jobs" --std=c11 --enable=warning,performance,portability --inline-suppr --suppressions-list=tests/lint/cppcheck.txt \
		--error-exitcode=1 --template='{file}:{line}: {message} [{id}]' -Isrc -DTONICFS_VERSION='""' \
		--library=tests/lint/cppcheck.cfg src
}

shell() {
	files '*.sh' .ci/run 'scripts/completion/*' | xargs "$tools/shellcheck" -f gcc
}

python() {
	"$tools/ruff" check -q --no-cache --output-format concise tests scripts
}

# A line of the page is a clause or a sentence, as roff's manuals advise, however long.
manual() {
	local found # and not the exit status, which counts the long lines, too
	found=$(mandoc -T lint src/cli/tonicfs.1 | grep -v 'STYLE: input text line longer than 80 bytes')
	[ -z "$found" ] || { echo "$found"; false; }
}

rooms() {
	python3 tests/lint/rooms.py && (cd tests/lint && python3 -m unittest -q test_rooms)
}

sql() {
	python3 tests/lint/sql.py && (cd tests/lint && python3 -m unittest -q test_sql)
}

passed=0 failed=0
log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT

check() { # FUNCTION COMMAND WHAT
	local since=$SECONDS
	if ! command -v "$2" >/dev/null; then
		echo "FAIL  $3: $2 is missing (scripts/install-deps.sh test)"
	elif "$1" >"$log" 2>&1; then
		echo "ok    $3 ($((SECONDS - since)) s)"
		passed=$((passed + 1))
		return
	else
		echo "FAIL  $3 ($((SECONDS - since)) s)"
		head -c 60000 "$log"
	fi
	failed=$((failed + 1))
}

[ $# != 0 ] || set -- layout shell python manual rooms sql cppcheck tidy
for name in "$@"; do
	case $name in
	layout) check layout "$tools/clang-format" 'layout of C (make format)' ;;
	tidy) check tidy "$tools/clang-tidy" 'clang-tidy' ;;
	cppcheck) check run_cppcheck cppcheck 'cppcheck' ;;
	shell) check shell "$tools/shellcheck" 'shell scripts' ;;
	python) check python "$tools/ruff" 'Python' ;;
	manual) check manual mandoc 'manual page' ;;
	rooms) check rooms python3 'rooms: includes and ARCHITECTURE.md' ;;
	sql) check sql python3 'SQL that SQLite and PostgreSQL run' ;;
	*) echo "lint.sh: unknown check '$name' (layout, tidy, cppcheck, shell, python, manual, rooms, sql)" >&2; exit 2 ;;
	esac
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
