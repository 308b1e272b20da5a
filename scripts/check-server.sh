#!/bin/bash
# The end-to-end tests on another S3 server than the one that `make check` starts: `make check-minio`, `make check-aws`.
# usage: check-server.sh minio|localstack [PYTEST-ARGUMENT...]
# Where the server cannot be had on this machine it says why and ends well. Last line: what pytest says, or `skipped: …`.
# TONICFS_BINARY: another program (build/tonicfs); CHECK_E2E_WORKERS: tests at a time (3); TONICFS_TEST_XML: results as JUnit XML.
set -euo pipefail
cd "$(dirname "$0")/.."
export LC_ALL=C.UTF-8

limit_secs=1200
# LocalStack lets everybody do everything, which `storage test` rightly refuses: its tests are for servers that guard a bucket.
aws_tests="archive playback browser lifecycle cost encryption retention delete_s3 migrate_ways"

case ${1:-} in
minio) name=MinIO tests="tests/e2e --ignore-glob=*/test_standin*" ;;
localstack)
	name=LocalStack tests=
	for test in $aws_tests; do [ ! -e "tests/e2e/test_$test.py" ] || tests="$tests tests/e2e/test_$test.py"; done ;;
*) sed -n '3p' "$0" | sed 's/^# //' >&2; exit 2 ;;
esac
server=scripts/$1.sh
shift

status=0
said=$("$server" install) || status=$?
if [ $status = 77 ]; then
	echo "skipped: $said"
	exit 0
fi
[ $status = 0 ] || exit $status

dir=$(mktemp -d "/var/tmp/tonicfs-$name-XXXXXX")
trap '"$server" stop "$dir" || true; rm -rf "$dir"' EXIT
"$server" start "$dir" >/dev/null
# shellcheck disable=SC1091
. "$dir/env"
echo "the end-to-end tests on $name, $S3_ENDPOINT"
TONICFS_TEST_S3_ENDPOINT=$S3_ENDPOINT TONICFS_TEST_S3_ACCESS_KEY=$S3_ACCESS_KEY \
	TONICFS_TEST_S3_SECRET_KEY=$S3_SECRET_KEY TONICFS_TEST_S3_REGION=$S3_REGION \
	TONICFS_BINARY=${TONICFS_BINARY:-$PWD/build/tonicfs} timeout -k 60 "$limit_secs" \
	build/venv/bin/python -m pytest -n "${CHECK_E2E_WORKERS:-3}" -q -rs --no-header --tb=short -p no:cacheprovider \
	-o junit_family=xunit2 ${TONICFS_TEST_XML:+--junitxml="$TONICFS_TEST_XML"} $tests "$@"
