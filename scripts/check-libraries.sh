#!/bin/sh
# Reports a missing library in one line, before the compiler does so in a hundred. usage: check-libraries.sh CC PACKAGE...
cc=$1; shift
command -v pkg-config >/dev/null || { echo "tonicfs needs pkg-config; \`make deps\` installs what is missing" >&2; exit 1; }
for package in "$@"; do
	pkg-config --exists "$package" && continue
	if [ "$package" = sqlcipher ] && pkg-config --exists sqlite3; then
		echo "tonicfs needs SQLCipher 4.5 or newer; here is only plain SQLite, which cannot encrypt (make deps)" >&2
	else
		echo "tonicfs needs the library '$package'; \`make deps\` installs what is missing" >&2
	fi
	exit 1
done
# pkg-config reports SQLite's version; a program asks the library for SQLCipher's own.
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
cat >"$dir/v.c" <<'C'
#include <stdio.h>
#include <string.h>
#include <sqlite3.h>
static int got(void *arg, int n, char **value, char **name)
{
	(void)name;
	if (n == 1 && value[0])
		snprintf(arg, 64, "%s", value[0]);
	return 0;
}
int main(void)
{
	char version[64] = "";
	int major = 0, minor = 0;
	sqlite3 *db;
	if (sqlite3_open(":memory:", &db) ||
	    sqlite3_exec(db, "PRAGMA cipher_version", got, version, 0))
		return 2;
	sqlite3_close(db);
	if (!version[0]) {
		fprintf(stderr, "the 'sqlcipher' library here is plain SQLite and would not encrypt\n");
		return 1;
	}
	if (sscanf(version, "%d.%d", &major, &minor) != 2 || major < 4 || (major == 4 && minor < 5)) {
		fprintf(stderr, "tonicfs needs SQLCipher 4.5 or newer; here is %s "
			"(Debian 12: bookworm-backports; make deps)\n", version);
		return 1;
	}
	return 0;
}
C
# shellcheck disable=SC2046 # flags are words
$cc -o "$dir/v" "$dir/v.c" $(pkg-config --cflags --libs sqlcipher) && "$dir/v"
