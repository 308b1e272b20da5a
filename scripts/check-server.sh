#!/bin/bash
# Runs the end-to-end tests on another S3 server than `make check`: `make check-minio`, `make check-aws`.
# usage: check-server.sh minio|localstack [PYTEST-ARGUMENT...]
# If the server cannot be installed here, the last line is `skipped: REASON`, and the exit status 0.
# Otherwise the last line is `N passed, N failed`, with `, N skipped` when any. TONICFS_BINARY: another program (build/tonicfs);
# CHECK_E2E_WORKERS: tests at a time (3).
set -u -o pipefail
cd "$(dirname "$0")/.." || exit 1
export LC_ALL=C.UTF-8
exec </dev/null

# Features of AWS only. LocalStack grants everybody every access, which `storage test` rightly refuses: tests of access
# control need other servers.
aws_tests="archive playback browser lifecycle cost encryption retention delete_s3 migrate_ways"

case ${1:-} in
minio) name=MinIO tests=("tests/e2e" "--ignore-glob=*/test_standin*") ;;
localstack) name=LocalStack tests=()
	for test in $aws_tests; do tests+=("tests/e2e/test_$test.py"); done ;;
*) sed -n '3s/^# //p' "$0" >&2; exit 2 ;;
esac
kind=$1 server=scripts/$1.sh
shift

said=$("$server" install)
status=$?
if [ $status = 77 ]; then
	echo "skipped: $said"
	exit 0
fi
[ $status = 0 ] || exit $status

dir=$(mktemp -d "/var/tmp/tonicfs-$name-XXXXXX") || exit 1
# shellcheck source=scripts/check-counts.sh
. scripts/check-counts.sh
trap '"$server" stop "$dir"; rm -rf "$dir"; finish' EXIT
"$server" start "$dir" >/dev/null || exit 1
. "$dir/env"
suite "$kind" "end-to-end tests on $name" env TONICFS_TEST_S3_ENDPOINT="$S3_ENDPOINT" \
	TONICFS_TEST_S3_ACCESS_KEY="$S3_ACCESS_KEY" TONICFS_TEST_S3_SECRET_KEY="$S3_SECRET_KEY" \
	TONICFS_TEST_S3_REGION="$S3_REGION" TONICFS_BINARY="${TONICFS_BINARY:-$PWD/build/tonicfs}" \
	"$python" -m pytest -n "${CHECK_E2E_WORKERS:-3}" "${tests[@]}" "$@"
