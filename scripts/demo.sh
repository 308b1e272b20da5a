#!/bin/bash
# The main job on a real S3 server and the Twilio stand-in, step by step, each command printed before it runs.
# usage: demo.sh start     runs it, and leaves the mount and the servers running; a second run continues
#        demo.sh stop      ends the mount and the servers and removes their files
# All files are in ${TONICFS_DEMO_DIR:-~/.local/state/tonicfs-demo}. `make demo` and `make demo-stop` call this.
set -euo pipefail
umask 077

top=$(cd "$(dirname "$0")/.." && pwd)
state=${TONICFS_DEMO_DIR:-${XDG_STATE_HOME:-$HOME/.local/state}/tonicfs-demo}
binary=${TONICFS_BINARY:-$top/build/tonicfs}
python=$top/build/venv/bin/python
mountpoint=$state/calls
copy=$state/copy
export TONICFS_CATALOG=$state/catalog/catalog.db
unset TONICFS_KEY_FILE
region=us-east-1 bucket=recordings

if [ -t 1 ]; then bold=$'\e[1m' blue=$'\e[34m' plain=$'\e[0m'; else bold='' blue='' plain=''; fi

# ---- output ----

say() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }
note() { printf '  (%s)\n' "$*"; }
die() { printf 'demo: %s\n' "$*" >&2; exit 1; }
show() { printf '%s$ %s%s\n' "$blue" "$*" "$plain"; }

# Prints the command in a form that can be typed, with short names for the program and long paths, and runs it.
run() {
	local word line=
	for word in "$@"; do
		case $word in "$binary") word=tonicfs ;; esac
		word=${word//"$mountpoint"/calls}
		word=${word//"$copy"/copy}
		case $word in *[!A-Za-z0-9_/.:=+,@%-]*) word="'$word'" ;; esac
		line="$line${line:+ }$word"
	done
	show "$line"
	"$@"
}

# A command with a secret on its standard input: secrets are never part of a command line.
run_with_secret() {
	local secret=$1
	shift
	run "$@" <<<"$secret"
}

# once NAME COMMAND...: runs it only once in the life of a demo.
once() {
	local name=$1
	shift
	[ ! -e "$state/done/$name" ] || return 0
	"$@" && touch "$state/done/$name"
}

# ---- processes ----

process_is() { # PID TEXT: is it still the process that we began?
	{ tr '\0' ' ' <"/proc/$1/cmdline" | grep -qF -- "$2"; } 2>/dev/null
}

is_mounted() { grep -qE " ${mountpoint//./\\.} [^-]* - fuse\.tonicfs " /proc/self/mountinfo; }

mount_answers() { is_mounted && timeout 5 ls "$mountpoint" >/dev/null 2>&1; }

unmount() {
	local tries
	is_mounted || return 0
	fusermount3 -u "$mountpoint" 2>/dev/null || true
	for tries in $(seq 100); do
		is_mounted || break
		[ "$tries" != 50 ] || fusermount3 -u -z "$mountpoint" || true
		sleep 0.1
	done
	! is_mounted || die "$mountpoint cannot be unmounted; something still uses it"
	# After an unmount, the process still ends its transfers.
	for tries in $(seq 120); do
		pgrep -u "$(id -u)" -f -- "tonicfs mount $mountpoint" >/dev/null || return 0
		sleep 0.1
	done
}

standin_pid() {
	local pid
	pid=$(cat "$state/standin.pid" 2>/dev/null) && [ -n "$pid" ] && process_is "$pid" twilio_standin.py && echo "$pid"
}

standin_start() {
	local tries
	setsid "$python" "$top/tests/standin/twilio_standin.py" --port 0 --scenario demo </dev/null \
		>"$state/standin.out" 2>"$state/standin.err" &
	echo $! >"$state/standin.pid"
	disown
	for tries in $(seq 300); do
		standin_url >/dev/null && return 0
		kill -0 "$(cat "$state/standin.pid")" 2>/dev/null || break # not standin_pid, which wants it to be executed already
		sleep 0.1
	done
	cat "$state/standin.err" >&2
	die "the Twilio stand-in did not start"
}

standin_url() { sed -n 's/^listening on \(http.*\)/\1/p' "$state/standin.out" 2>/dev/null | grep .; }

servers_answer() {
	standin_pid >/dev/null && standin_url >/dev/null && "$top/scripts/s3-server.sh" status "$state/s3" >/dev/null 2>&1
}

stop_all() {
	local pid tries
	[ -d "$state" ] || return 0
	unmount
	if pid=$(standin_pid); then
		kill "$pid" 2>/dev/null || true
		for tries in $(seq 50); do standin_pid >/dev/null || break; sleep 0.1; done
		! standin_pid >/dev/null || kill -9 "$pid" 2>/dev/null || true
	fi
	[ ! -d "$state/s3" ] || "$top/scripts/s3-server.sh" stop "$state/s3"
	[ -e "$state/made-by-demo" ] || die "$state was not made by the demo; not removed"
	rm -rf --one-file-system "$state"
}

# ---- requests to the two origins, without tonicfs ----

account() { # WORKSPACE FIELD
	curl -fsS "$(standin_url)/_control/accounts" | "$python" -c '
import json, sys
account, = [item for item in json.load(sys.stdin)["accounts"] if item["workspace"] == sys.argv[1]]
print(account[sys.argv[2]] if sys.argv[2] != "campaigns" else
      "\n".join(f"{name} {number}" for name, numbers in account["campaigns"].items() for number in numbers))' "$1" "$2"
}

at_twilio() { # SID: yes or no
	local status
	status=$(curl -s -o /dev/null -w '%{http_code}' --config - <<-X
		url = "$(standin_url)/2010-04-01/Accounts/$(account acme sid)/Recordings/$1.json"
		user = "$(account acme sid):$(account acme auth_token)"
	X
	)
	[ "$status" = 200 ] && echo yes || echo no
}

# By boto3, an independent S3 client. The keys are those of the demo's server.
s3() { # create | has KEY
	S3_ENDPOINT=$S3_ENDPOINT S3_ACCESS_KEY=$S3_ACCESS_KEY S3_SECRET_KEY=$S3_SECRET_KEY \
		"$python" - "$region" "$bucket" "$@" <<-'X'
		import os, sys
		import boto3, botocore.config, botocore.exceptions
		region, bucket, what, *key = sys.argv[1:]
		s3 = boto3.client("s3", endpoint_url=os.environ["S3_ENDPOINT"], region_name=region,
		                  aws_access_key_id=os.environ["S3_ACCESS_KEY"],
		                  aws_secret_access_key=os.environ["S3_SECRET_KEY"],
		                  config=botocore.config.Config(s3={"addressing_style": "path"}))
		if what == "create":
		    s3.create_bucket(Bucket=bucket)
		else:
		    try:
		        s3.head_object(Bucket=bucket, Key=key[0])
		        print("yes")
		    except botocore.exceptions.ClientError as error:
		        if error.response["ResponseMetadata"]["HTTPStatusCode"] != 404:
		            raise
		        print("no")
	X
}

in_s3() { # KEY: yes or no
	s3 has "$1"
}

make_bucket() {
	s3 create
}

# ---- the steps ----

attribute() { getfattr --only-values --absolute-names -n "user.tonicfs.$1" "$2"; }

add_campaigns() { # WORKSPACE
	local lines names name numbers
	lines=$(account "$1" campaigns)
	names=$(cut -d ' ' -f 1 <<<"$lines" | sort -u)
	for name in $names; do
		mapfile -t numbers < <(sed -n "s/^$name //p" <<<"$lines" | sed 's/^/--number\n/')
		run "$binary" campaign add "$1" "$name" "${numbers[@]}" || return 1
	done
}

add_workspace() {
	run_with_secret "$(account "$1" auth_token)" "$binary" workspace add "$1" --account "$(account "$1" sid)" \
		--twilio-url "$(standin_url)" --secret-file -
}

set_storage() {
	run_with_secret "$S3_SECRET_KEY" "$binary" storage set "$1" --bucket "$bucket" --region "$region" \
		--endpoint "$S3_ENDPOINT" --path-style --access-key "$S3_ACCESS_KEY" --secret-file - &&
		run "$binary" storage test "$1"
}

probe() {
	local tool
	for tool in soxi ffprobe file; do command -v $tool >/dev/null && break; done
	case $tool in
	ffprobe) run ffprobe -hide_banner "$1" 2>&1 | sed -n "s|$mountpoint|calls|; /^\\$/p; /^Input/,\$p" ;;
	soxi | file) run $tool "$1" ;;
	esac
}

migrate_and_watch() { # FOLDER
	local counts before='' end=$((SECONDS + 300))
	run setfattr -n user.tonicfs.migrate -v now "$1"
	show "getfattr --only-values -n user.tonicfs.migrate ${1/#"$mountpoint"/calls}    # again and again"
	while counts=$(attribute migrate "$1"); do
		[ "$counts" = "$before" ] || { if [ -t 1 ]; then printf '\r%s\e[K' "$counts"; else echo "$counts"; fi; }
		before=$counts
		[[ ! $counts =~ queued\ 0\ running\ 0 ]] || break
		[ "$SECONDS" -lt "$end" ] || die "the migration takes more than five minutes"
		sleep 0.5
	done
	[ ! -t 1 ] || echo
	[[ $counts == *"failed 0" ]] || die "some recordings did not migrate; see: tonicfs status"
}

# The first campaign of acme that has recordings at Twilio, else the first one.
campaign_to_migrate() {
	local folder
	for folder in "$mountpoint"/acme/*/; do
		case $folder in */unassigned/) continue ;; esac
		[[ $(attribute migrate "${folder%/}") == "none 0 "* ]] || { echo "${folder%/}"; return; }
	done
	for folder in "$mountpoint"/acme/*/; do echo "${folder%/}"; return; done
}

recordings_in() { find "$1" -name '*.wav' | sort; }

# Recordings of acme, without those that Twilio encrypted or deletes on its own.
recordings_at_twilio() {
	local folder file
	for folder in "$mountpoint"/acme/*; do
		[[ $(attribute migrate "$folder") != "none 0 "* ]] || continue
		for file in $(recordings_in "$folder"); do
			[ "$(attribute migrate "$file")" = none ] || continue
			echo "$file" || return 0
		done
	done 2>/dev/null
}

# Sets the policy, removes a recording, and then asks both origins for it.
remove_under() { # FILE DELETE_S3 DELETE_TWILIO
	local file=$1 sid key='' wanted_s3 wanted_twilio tries
	sid=$(attribute recording_sid "$file")
	wanted_s3=no wanted_twilio=$(at_twilio "$sid")
	if key=$(attribute key "$file" 2>/dev/null); then
		[ "$2" = on ] || wanted_s3=yes
	fi
	[ "$3" = off ] || wanted_twilio=no
	run "$binary" workspace set acme "delete_s3=$2" "delete_twilio=$3"
	run rm "$file"
	for tries in $(seq 100); do
		[ "$(at_twilio "$sid")" = "$wanted_twilio" ] && [ "$([ -z "$key" ] && echo no || in_s3 "$key")" = "$wanted_s3" ] && break
		[ "$tries" != 100 ] || die "the policy was not carried out for $sid"
		sleep 0.2
	done
	note "asked directly: at Twilio: $wanted_twilio, in S3: $wanted_s3"
}

start() {
	local began=$SECONDS file folder before after files total
	[ -x "$binary" ] || die "$binary is missing; run make"
	[ -x "$python" ] || die "$python is missing; run make build/venv/.done"
	[ -r /dev/fuse ] && [ -w /dev/fuse ] ||
		die "/dev/fuse cannot be opened by $(id -un); try: sudo chmod 666 /dev/fuse"
	if [ -d "$state" ] && ! servers_answer; then
		note "the servers of an earlier demo are gone, and with them what it kept; starting afresh"
		stop_all
	fi
	mkdir -p "$state/done" "$mountpoint" "$copy" 2>/dev/null || {
		unmount; mkdir -p "$state/done" "$mountpoint" "$copy"; }
	touch "$state/made-by-demo"

	say "The servers: a real S3 server (Ceph RADOS Gateway) and a stand-in for Twilio, both on loopback"
	if servers_answer; then
		note "running already"
	else
		show "scripts/s3-server.sh start $state/s3"
		"$top/scripts/s3-server.sh" start "$state/s3" | sed '/SECRET/s/=.*/=…/'
		show "tests/standin/twilio_standin.py --scenario demo &"
		standin_start
		standin_url
	fi
	. "$state/s3/env"
	once bucket make_bucket

	say "A catalog, encrypted, and its key; then two Twilio accounts as workspaces, their campaigns, a bucket"
	once init run "$binary" init
	for workspace in acme globex; do
		once "workspace-$workspace" add_workspace "$workspace"
		once "campaigns-$workspace" add_campaigns "$workspace"
		once "storage-$workspace" set_storage "$workspace"
	done
	run "$binary" campaign list acme

	say "Learning of all calls and recordings"
	run "$binary" sync
	run "$binary" status

	say "The tree"
	if mount_answers; then note "mounted already"; else run "$binary" mount "$mountpoint"; fi
	note "calls is short for $mountpoint here, copy for $copy"
	files=$(recordings_in "$mountpoint") total=$(wc -l <<<"$files")
	run ls -l "$mountpoint" "$mountpoint/acme" | sed "s|$mountpoint|calls|"
	folder=$(campaign_to_migrate)
	show "ls -l ${folder/#"$mountpoint"/calls} | head"
	# shellcheck disable=SC2012 # shown, not parsed
	ls -l "$folder" | head || true
	note "$total recordings in all"

	file=$(recordings_in "$folder" | head -n 1) || true
	[ -n "$file" ] || die "no recording is left in $folder; make demo-stop, make demo starts afresh"
	say "A recording, where it is now"
	run getfattr --only-values -n user.tonicfs.state --absolute-names "$file"; echo
	probe "$file"
	run sha256sum "$file" | sed "s|$mountpoint|calls|"
	before=$(sha256sum <"$file")

	say "A whole campaign moves to S3; Twilio's copies go only when the objects were verified"
	migrate_and_watch "$folder"

	say "The same file: another place, the same bytes"
	run getfattr --only-values -n user.tonicfs.state --absolute-names "$file"; echo
	run getfattr -d --absolute-names "$file" | sed "s|$mountpoint|calls|"
	run sha256sum "$file" | sed "s|$mountpoint|calls|"
	after=$(sha256sum <"$file")
	[ "$before" = "$after" ] || die "the file has changed"
	note "the same SHA-256"

	say "A copy of the campaign with rsync, and again: nothing to do"
	run rsync -a --stats "$folder/" "$copy/${folder##*/}/" | grep -E '^\$|^Number of (files|regular)|^Total (file|trans)'
	run rsync -a --itemize-changes --stats "$folder/" "$copy/${folder##*/}/" |
		grep -E '^\$|^>f|^Number of (files|regular)|^Total (file|trans)'

	say "rm under each policy"
	note "a migrated recording: by default its bytes stay in S3"
	remove_under "$(recordings_in "$folder" | sed -n 2p)" off off
	note "a migrated recording, with delete_s3"
	remove_under "$(recordings_in "$folder" | sed -n 2p)" on off
	files=$(recordings_at_twilio | head -n 2) || true
	if [ "$(wc -l <<<"$files")" = 2 ]; then
		note "a recording at Twilio: by default it stays there"
		remove_under "$(sed -n 1p <<<"$files")" off off
		note "a recording at Twilio, with delete_twilio"
		remove_under "$(sed -n 2p <<<"$files")" off on
	fi
	run "$binary" workspace set acme delete_s3=off delete_twilio=off

	say "That was the demo ($((SECONDS - began)) s). Mount and servers go on running; try next:"
	cat <<-X
	  export TONICFS_CATALOG=$TONICFS_CATALOG PATH=${binary%/*}:\$PATH
	  cd $mountpoint
	  ls -l acme/*; column -s, -t acme/radio/calls.csv | less -S      # the call log
	  ffplay globex/showroom/…wav                                     # or mpv, vlc, aplay: any player
	  find . -name '*.voicemail.wav' -newermt 2025-11-01
	  setfattr -n user.tonicfs.migrate -v now globex; getfattr -n user.tonicfs.migrate globex
	  tonicfs status; tonicfs help
	  curl $(standin_url)/_control/counters                           # what Twilio was asked
	make demo-stop ends all of it.
	X
}

case ${1:-} in
start) start ;;
stop)
	if [ -d "$state" ]; then stop_all; echo "the demo's mount and servers are gone"; else echo "no demo is running"; fi ;;
*)
	sed -n '2,5s/^# \{0,1\}//p' "$0" >&2
	exit 2 ;;
esac
