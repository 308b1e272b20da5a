#!/bin/bash
# Runs a MinIO server on loopback for the end-to-end tests: `make check-minio`.
# usage: minio.sh install          builds a pinned release with `go install`, once (about five minutes)
#        minio.sh start DIR        data, log and DIR/env (endpoint and keys) in DIR; prints DIR/env
#        minio.sh stop DIR         ends it; the objects are gone with it
# If MinIO cannot be installed, install prints the reason and exits with status 77.
# MINIO: another program, of any release; GOBIN: where it is built (~/go/bin).
set -euo pipefail

ip=127.0.0.1
start_secs=60
build_secs=1500
# MinIO's releases are no Go versions; Go's checksum database guards this commit.
release=v0.0.0-20260212201848-7aac2a2c5b7c
export PATH=$PATH:/usr/local/go/bin
go_bin=${GOBIN:-${GOPATH:-$HOME/go}/bin}

usage() {
	sed -n '2,7s/^# \{0,1\}//p' "$0" >&2
	exit 2
}

fail() {
	echo "minio.sh: $*" >&2
	exit 1
}

is_of_release() { # PROGRAM
	go version -m "$1" 2>/dev/null | grep -qF "github.com/minio/minio	$release"
}

find_minio() {
	if [ -n "${MINIO:-}" ]; then
		[ -x "$MINIO" ] && echo "$MINIO"
	else
		is_of_release "$go_bin/minio" && echo "$go_bin/minio"
	fi
}

install_minio() {
	local log status=0
	find_minio && return
	[ -z "${MINIO:-}" ] || fail "MINIO=$MINIO is no program"
	command -v go >/dev/null || { echo "there is no Go to build MinIO with (MINIO=/PATH names one that is there)"; exit 77; }
	log=$(mktemp)
	echo "building MinIO $release with go install, once: about five minutes" >&2
	GOBIN=$go_bin timeout "$build_secs" nice go install "github.com/minio/minio@$release" >"$log" 2>&1 || status=$?
	case $status in
	0) ;;
	124) echo "MinIO cannot be built within $build_secs s" ;;
	*) echo "MinIO cannot be built: $(grep -v '^go: downloading' "$log" | tail -n 1)" ;;
	esac
	rm -f "$log"
	[ "$status" = 0 ] || exit 77
	find_minio
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

random_word() {
	head -c 64 /dev/urandom | base64 -w 0 | tr -dc 'A-Za-z0-9' | cut -c "1-$1"
}

# The PID may have been reused: our process has our folder in its command line.
pid_of() {
	local pid
	[ -s "$dir/pid" ] || return 1
	pid=$(cat "$dir/pid")
	{ tr '\0' ' ' <"/proc/$pid/cmdline" | grep -qF -- "$dir/data"; } 2>/dev/null && echo "$pid"
}

answers() {
	curl -sf -m 5 -o /dev/null "http://$ip:$1/minio/health/live"
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
	rm -rf "$dir/data" "$dir/env" "$dir/pid"
}

start() {
	local minio port console user secret pid deadline=$((SECONDS + start_secs))
	minio=$(find_minio) || fail "not installed; try: $0 install"
	stop
	mkdir -p "$dir/data" "$dir/certs"
	port=$(free_port)
	console=$(free_port)
	user=$(random_word 20)
	secret=$(random_word 40)
	MINIO_ROOT_USER=$user MINIO_ROOT_PASSWORD=$secret MINIO_BROWSER=off MINIO_UPDATE=off \
		setsid "$minio" server --quiet --certs-dir "$dir/certs" --address "$ip:$port" \
		--console-address "$ip:$console" "$dir/data" </dev/null >"$dir/log" 2>&1 &
	pid=$!
	echo "$pid" >"$dir/pid"
	disown
	until answers "$port"; do
		if [ "$SECONDS" -ge "$deadline" ] || ! kill -0 "$pid" 2>/dev/null; then
			tail -n 5 "$dir/log" >&2
			stop
			fail "not up"
		fi
		sleep 0.1
	done
	(umask 077; cat >"$dir/env") <<-E
		S3_ENDPOINT=http://$ip:$port
		S3_ACCESS_KEY=$user
		S3_SECRET_KEY=$secret
		S3_REGION=us-east-1
	E
	cat "$dir/env"
}

case ${1:-} in
install) install_minio ;;
start|stop)
	[ $# = 2 ] || usage
	mkdir -p "$2"
	dir=$(cd "$2" && pwd)
	"$1" ;;
*) usage ;;
esac
