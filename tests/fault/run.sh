#!/bin/bash
# Runs the fault suite: pytest of tests/fault, with one S3 server for all its processes.
# usage: tests/fault/run.sh PROGRAM [PYTEST-ARGUMENT...]      PROGRAM: built with -DTONICFS_FAULTS
# FAULT_SEED, FAULT_COUNT: of the random sequences (any seed, 200). FAULT_WORKERS: parallel tests (4).
set -euo pipefail
cd "$(dirname "$0")/../.."
program=$(realpath "$1")
shift
export TONICFS_BINARY=$program
export FAULT_SEED=${FAULT_SEED:-$((RANDOM * 32768 + RANDOM))}
export FAULT_COUNT=${FAULT_COUNT:-200}
echo "random sequences: FAULT_SEED=$FAULT_SEED FAULT_COUNT=$FAULT_COUNT"

if [ -z "${TONICFS_TEST_S3_ENDPOINT:-}" ]; then
	server=$(mktemp -d /var/tmp/tonicfs-fault-XXXXXX)
	trap 'scripts/s3-server.sh stop "$server"; rm -rf "$server"' EXIT
	trap 'exit 143' TERM INT HUP
	scripts/s3-server.sh start "$server" >/dev/null
	. "$server/env"
	export TONICFS_TEST_S3_ENDPOINT=$S3_ENDPOINT TONICFS_TEST_S3_ACCESS_KEY=$S3_ACCESS_KEY \
		TONICFS_TEST_S3_SECRET_KEY=$S3_SECRET_KEY TONICFS_TEST_S3_REGION=$S3_REGION \
		FAULT_S3_CONF=$server/cluster/ceph.conf
fi
build/venv/bin/python -m pytest -n "${FAULT_WORKERS:-4}" --dist worksteal -q --no-header --tb=short "$@" tests/fault &
wait $!
