#!/bin/bash
# Runs a real S3 server on loopback for tests and the demo: Ceph's RADOS Gateway from Debian's packages.
# usage: s3-server.sh start DIR [PORT]    data, logs and DIR/env (endpoint and keys) in DIR; prints DIR/env
#        s3-server.sh stop DIR            ends what start began; the objects are gone with it (they are in memory)
#        s3-server.sh status DIR          exit 0 and DIR/env when it answers, else 1
# Works as root and as an ordinary user. Each DIR has its own ports and keys, so several servers can run in parallel.
set -euo pipefail
export PATH=$PATH:/usr/sbin:/sbin LC_ALL=C

ip=127.0.0.1
start_secs=${S3_SERVER_START_SECS:-90}
storage_classes="STANDARD_IA GLACIER_IR GLACIER DEEP_ARCHIVE"
daemons="rgw osd mon"                     # in the order in which they are stopped; a manager is not needed

usage() {
	sed -n '2,6s/^# \{0,1\}//p' "$0" >&2
	exit 2
}

[ $# -ge 2 ] || usage
command=$1
mkdir -p "$2"
dir=$(cd "$2" && pwd)
cd / # Debian 13's daemons look for their plug-ins in lib, relative to the folder they start in
wanted_port=${3:-}
cluster=$dir/cluster
conf=$cluster/ceph.conf
export CEPH_CONF=$conf

check_deadline() {
	[ "$SECONDS" -lt "$deadline" ] || fail "not up after $start_secs seconds"
}

show_logs() {
	local file
	for file in "$cluster"/*.out "$cluster"/*.log; do
		[ -s "$file" ] || continue
		echo "--- last lines of $file" >&2
		tail -n 6 "$file" | cut -c 1-300 >&2
	done
}

fail() {
	echo "s3-server.sh: $*" >&2
	show_logs
	stop_all
	exit 1
}

# The PID of an old file may have been reused: our process has our configuration in its command line.
is_ours() {
	{ tr '\0' ' ' <"/proc/$1/cmdline" | grep -qF -- "$conf"; } 2>/dev/null
}

pid_of() {
	local pid
	[ -s "$cluster/$1.pid" ] || return 1
	pid=$(cat "$cluster/$1.pid")
	is_ours "$pid" && echo "$pid"
}

is_listening() {
	(exec 3<>"/dev/tcp/$ip/$1") 2>/dev/null
}

# Below the ephemeral range, so that no outgoing connection can take it meanwhile.
free_port() {
	local port
	for _ in {1..200}; do
		port=$((15000 + (RANDOM * 32768 + RANDOM) % 15000))
		is_listening "$port" || { echo "$port"; return 0; }
	done
	fail "no free port on $ip"
}

random_word() {
	head -c 64 /dev/urandom | base64 -w 0 | tr -dc 'A-Za-z0-9' | cut -c "1-$1"
}

# launch NAME PROGRAM ARG…: in a new session, without descriptors of the caller
launch() {
	local name=$1
	shift
	setsid "$@" </dev/null >"$cluster/$name.out" 2>&1 9>&- &
	echo $! >"$cluster/$name.pid"
	disown
}

admin() {
	check_deadline
	timeout -k 5 $((deadline - SECONDS)) "$@" 9>&- >"$cluster/admin.out" 2>&1 || fail "failed: $1"
}

answers() {
	local name
	[ -s "$dir/env" ] || return 1
	for name in $daemons; do pid_of "$name" >/dev/null || return 1; done
	timeout 5 bash -c 'exec 3<>"/dev/tcp/$1/$2" && printf "GET / HTTP/1.0\r\n\r\n" >&3 && grep -q "^HTTP/1" <&3' \
		- "$ip" "$(sed -n "s|^S3_ENDPOINT=http://$ip:||p" "$dir/env")" 2>/dev/null
}

stop_all() {
	local name pid pids='' tries
	for name in $daemons; do
		pid=$(pid_of "$name") || continue
		kill "$pid" 2>/dev/null || true
		pids="$pids $pid"
	done
	for tries in $(seq 100); do
		local alive=
		for pid in $pids; do is_ours "$pid" && alive="$alive $pid"; done
		[ -n "$alive" ] || break
		[ "$tries" != 15 ] || for pid in $alive; do kill -9 "$pid" 2>/dev/null || true; done
		sleep 0.1
	done
	rm -f "$dir/env" "$cluster"/*.pid
}

write_conf() {
	cat >"$conf" <<X
[global]
fsid = $fsid
mon host = [v2:$ip:$mon_port]
auth cluster required = none
auth service required = none
auth client required = none
ms mon client mode = crc
ms mon cluster mode = crc
ms mon service mode = crc
ms bind ipv6 = false
public addr = $ip
cluster addr = $ip
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 8
osd pool default pgp num = 8
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
mon warn on pool no redundancy = false
mon warn on insecure global id reclaim allowed = false
mon pg warn min per osd = 0
run dir = $cluster/run
crash dir = $cluster/run
log file = $cluster/\$name.log
admin socket = $cluster/run/\$name.asok
debug ms = 0
[mon]
mon data = $cluster/mon
mon initial members = a
mon data avail warn = 2
mon data avail crit = 1
paxos propose interval = 0.05
paxos min wait = 0.01
[osd]
osd data = $cluster/osd
osd objectstore = memstore
memstore device bytes = 4294967296
memstore page set = false
osd memory target = 939524096
osd op num shards = 2
[client.rgw.a]
rgw data = $cluster/rgw
rgw frontends = beast endpoint=$ip:$port tcp_nodelay=1
rgw dns name = localhost
rgw thread pool size = 64
rgw override bucket index max shards = 1
rgw dynamic resharding = false
rgw enable usage log = false
rgw enable ops log = false
rgw crypt require ssl = false
rgw crypt s3 kms backend = testing
rgw crypt s3 kms encryption keys = testkey-1=YmluCmJvb3N0CmJvb3N0LWJ1aWxkCmNlcGguY29uZgo=
X
}

start_all() {
	local program class uuid fsid mon_port port access_key secret_key
	for program in ceph-mon ceph-osd ceph radosgw radosgw-admin monmaptool; do
		command -v $program >/dev/null || {
			echo "s3-server.sh: $program is not installed; try scripts/install-deps.sh server" >&2
			exit 1
		}
	done
	deadline=$((SECONDS + start_secs))
	stop_all                                  # whatever is left of one that died
	[ ! -e "$cluster" ] || [ -e "$cluster/made-by-s3-server" ] || fail "$cluster is not ours"
	rm -rf "$cluster"
	(umask 077; mkdir -p "$cluster"/{mon,osd,rgw,run})
	touch "$cluster/made-by-s3-server"
	fsid=$(cat /proc/sys/kernel/random/uuid)
	uuid=$(cat /proc/sys/kernel/random/uuid)
	mon_port=$(free_port)
	port=${wanted_port:-$(free_port)}
	! is_listening "$port" || fail "port $port is taken"
	access_key=$(random_word 20)
	secret_key=$(random_word 40)
	write_conf

	admin monmaptool --create --clobber --addv a "[v2:$ip:$mon_port]" --fsid "$fsid" "$cluster/monmap"
	admin ceph-mon -c "$conf" --mkfs -i a --monmap "$cluster/monmap"
	launch mon ceph-mon -c "$conf" -i a -f
	admin ceph -c "$conf" osd new "$uuid" 0
	admin ceph-osd -c "$conf" -i 0 --mkfs --osd-uuid "$uuid"
	admin ceph -c "$conf" osd crush add osd.0 1.0 root=default host=loopback
	launch osd ceph-osd -c "$conf" -i 0 -f
	admin radosgw-admin -c "$conf" user create --uid=tonicfs --display-name=tonicfs \
		--access-key="$access_key" --secret-key="$secret_key"
	for class in $storage_classes; do         # a gateway learns its classes when it starts
		admin radosgw-admin -c "$conf" zonegroup placement add --rgw-zonegroup default \
			--placement-id default-placement --storage-class "$class"
		admin radosgw-admin -c "$conf" zone placement add --rgw-zone default \
			--placement-id default-placement --storage-class "$class" --data-pool default.rgw.buckets.data
	done
	launch rgw radosgw -c "$conf" -n client.rgw.a -f

	(umask 077; cat >"$dir/env") <<X
S3_ENDPOINT=http://$ip:$port
S3_ACCESS_KEY=$access_key
S3_SECRET_KEY=$secret_key
S3_REGION=us-east-1
X
	until answers; do
		check_deadline
		kill -0 "$(cat "$cluster/rgw.pid")" 2>/dev/null || fail "radosgw ended at once" # not pid_of, which wants it to be executed already
		sleep 0.1
	done
}

exec 9>"$dir/lock"
flock -w "$start_secs" 9 || { echo "s3-server.sh: $dir/lock is held by another" >&2; exit 1; }
case $command in
start)
	answers || start_all
	cat "$dir/env" ;;
stop) stop_all ;;
status)
	answers || { echo "s3-server.sh: nothing answers for $dir" >&2; exit 1; }
	cat "$dir/env" ;;
*) usage ;;
esac
