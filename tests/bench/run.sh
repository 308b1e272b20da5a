#!/bin/bash
# Measures the figures that the project promises, each as a ratio to its limit, in one run. usage: run.sh [find] [mount] [sync] [idle] [migrate] [read]
# Where a figure depends on the machine, its limit is a ratio to a minimal file system in memory (memtree.c); else it is in
# milliseconds or megabytes.
set -euo pipefail
cd "$(dirname "$0")/../.."
build=build/bench
mkdir -p "$build"
flags="-std=gnu17 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -DFUSE_USE_VERSION=314 -O2 -Wall -Wextra -Wno-unused-parameter -Werror"
# shellcheck disable=SC2046,SC2086
${CC:-cc} $flags $(pkg-config --cflags fuse3) -o "$build/memtree" tests/bench/memtree.c $(pkg-config --libs fuse3)
# shellcheck disable=SC2086
${CC:-cc} $flags -pthread -o "$build/delay" tests/bench/delay.c
for program in fill queue; do
	# shellcheck disable=SC2046,SC2086
	${CC:-cc} $flags -Isrc -pthread -o "$build/$program" "tests/bench/$program.c" build/libtonicfs.a \
		$(pkg-config --libs fuse3 libcurl libcrypto jansson expat sqlcipher) -lm
done
# In a mount namespace of its own: whatever else is mounted meanwhile would wake the mounts that are measured.
apart=()
[ "$(id -u)" != 0 ] || apart=(unshare --mount)
exec "${apart[@]}" build/venv/bin/python tests/bench/bench.py "$build" "$@"
