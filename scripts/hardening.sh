#!/bin/bash
# Prints the hardening flags that a compiler accepts, for the Makefile. usage: hardening.sh compile|link COMPILER [FLAG...]
# FLAG: the other flags of the build, because some depend on them: _FORTIFY_SOURCE needs optimization.
# The compiler accepts the printed flags without a warning.
set -u
what=$1 compiler=$2
shift 2
extra=("$@")

# Each line: alternatives, the best first.
case $what in
compile) flags='
-fPIE
-fstack-protector-strong
-fstack-clash-protection
-fcf-protection|-mbranch-protection=standard
-ftrivial-auto-var-init=zero|-ftrivial-auto-var-init=zero -enable-trivial-auto-var-init-zero-knowing-it-will-be-removed-from-clang
-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3|-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2' ;;
link) flags='
-pie
-Wl,-z,relro,-z,now
-Wl,-z,noexecstack' ;;
*) exit 2 ;;
esac

dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
cat >"$dir/probe.c" <<'C'
#include <features.h>
#if defined _FORTIFY_SOURCE && __USE_FORTIFY_LEVEL != _FORTIFY_SOURCE
#error "not this level: the C library is too old, or nothing is optimized"
#endif
int main(void)
{
	return 0;
}
C

accepts() { # FLAGS, split into words
	if [ "$what" = compile ]; then set -- "$1" -c; else set -- "$1" -fPIE; fi
	# shellcheck disable=SC2086
	$compiler "${extra[@]}" -Werror $1 "$2" -o "$dir/probe.out" "$dir/probe.c" >/dev/null 2>&1
}

# A current compiler accepts all the best ones: one call suffices.
# shellcheck disable=SC2001 # of each line
best=$(sed 's/|.*//' <<<"$flags" | xargs)
if accepts "$best"; then
	echo "$best"
	exit
fi
while IFS='|' read -r -a alternatives; do
	for flag in "${alternatives[@]}"; do
		accepts "$flag" && { echo "$flag"; break; }
	done
done <<<"$flags" | xargs
