#!/bin/bash
# Runs LocalStack's S3 and KMS on loopback for the tests of AWS's own features: `make check-aws`.
# LocalStack checks the signatures of presigned URLs, but not of headers.
# usage: localstack.sh install         into a virtual environment (build/localstack), once
#        localstack.sh start DIR       log and DIR/env (endpoint and keys) in DIR; prints DIR/env
#        localstack.sh stop DIR        ends it; the objects are gone with it (they are in memory)
# If LocalStack cannot be installed, install prints the reason and exits with status 77.
# LOCALSTACK_VENV: another place for the virtual environment; PYTHON: the Python to make it with.
set -euo pipefail

here=$(cd "$(dirname "$0")/.." && pwd)
venv=${LOCALSTACK_VENV:-$here/build/localstack/venv}
python=${PYTHON:-python3}
lock=$here/tests/localstack.txt            # the release, and everything that it needs, with hashes
ip=127.0.0.1
start_secs=90
install_secs=900

usage() {
	sed -n '2,8s/^# \{0,1\}//p' "$0" >&2
	exit 2
}

fail() {
	echo "localstack.sh: $*" >&2
	exit 1
}

cannot() {
	echo "LocalStack cannot be had: $*"
	exit 77
}

is_installed() {
	cmp -s "$lock" "$venv/installed.txt"
}

install() {
	local log=$venv/install.log
	! is_installed || return 0
	mkdir -p "$(dirname "$venv")"
	rm -rf "$venv"
	"$python" -m venv "$venv" || cannot "$python makes no virtual environment"
	echo "installing LocalStack $(sed -n 's/^localstack-core==\([^ ]*\).*/\1/p' "$lock"), once" >&2
	timeout "$install_secs" nice "$venv/bin/pip" install -q --disable-pip-version-check --require-hashes --only-binary :all: \
		-r "$lock" >"$log" 2>&1 || cannot "$(tail -n 1 "$log")"
	cp "$lock" "$venv/installed.txt"
}

is_listening() {
	(exec 3<>"/dev/tcp/$ip/$1") 2>/dev/null
}

free_port() {
	local port try
	for try in $(seq 200); do
		port=$((15000 + (RANDOM * 32768 + RANDOM) % 15000))
		is_listening "$port" || { echo "$port"; return 0; }
	done
	fail "no free port on $ip"
}

# The PID may have been reused: our process has our folder in its environment.
pid_of() {
	local pid
	[ -s "$dir/pid" ] || return 1
	pid=$(cat "$dir/pid")
	{ tr '\0' '\n' <"/proc/$pid/environ" | grep -qxF "TMPDIR=$dir/tmp"; } 2>/dev/null && echo "$pid"
}

stop() {
	local pid try
	pid=$(pid_of) || pid=
	[ -z "$pid" ] || kill "$pid" 2>/dev/null || true
	for try in $(seq 100); do
		pid_of >/dev/null || break
		[ "$try" != 50 ] || kill -9 "$pid" 2>/dev/null || true
		sleep 0.1
	done
	rm -rf "$dir/tmp" "$dir/env" "$dir/pid"
}

start() {
	local port pid deadline=$((SECONDS + start_secs))
	is_installed || fail "not installed; try: $0 install"
	stop
	mkdir -p "$dir/tmp"
	port=$(free_port)
	cd "$dir"
	TMPDIR=$dir/tmp SERVICES=s3,kms STRICT_SERVICE_LOADING=1 GATEWAY_LISTEN=$ip:$port \
		S3_SKIP_SIGNATURE_VALIDATION=0 DISABLE_EVENTS=1 SKIP_SSL_CERT_DOWNLOAD=1 \
		setsid "$venv/bin/python" -m localstack.runtime.main </dev/null >"$dir/log" 2>&1 &
	pid=$!
	echo "$pid" >"$dir/pid"
	disown
	until curl -sf -m 5 -o /dev/null "http://$ip:$port/_localstack/health"; do
		if [ "$SECONDS" -ge "$deadline" ] || ! kill -0 "$pid" 2>/dev/null; then
			tail -n 5 "$dir/log" >&2
			stop
			fail "not up"
		fi
		sleep 0.2
	done
	cat >"$dir/env" <<-E
		S3_ENDPOINT=http://$ip:$port
		S3_ACCESS_KEY=test
		S3_SECRET_KEY=test
		S3_REGION=us-east-1
	E
	cat "$dir/env"
}

case ${1:-} in
install) install ;;
start|stop)
	[ $# = 2 ] || usage
	mkdir -p "$2"
	dir=$(cd "$2" && pwd)
	"$1" ;;
*) usage ;;
esac
