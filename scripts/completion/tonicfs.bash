# Completion of tonicfs for bash. Commands, options and settings are read from the program's own help, so that they are
# those of the version installed. Nothing here opens the catalog: a key-command might ask for a passphrase.

# Lines of the help that describe something begin with two blanks.
_tonicfs_commands() {
	"$1" help 2>/dev/null | sed -n '/^Commands:/,/^$/s/^  \([a-z][a-z ]*[a-z]\)\(  .*\|$\)/\1/p'
}

# A switch stands as --[no-]name and means both.
_tonicfs_options() {
	local program=$1
	shift
	{ "$program" help; [ $# = 0 ] || "$program" help "$@"; } 2>/dev/null |
		sed -nE 's/^  (-[a-zA-Z], )?--(\[no-\])?([a-z0-9-]+).*/\2 \3/p' |
		sed -E 's/^\[no-\] (.*)/--\1\n--no-\1/; s/^ /--/'
}

_tonicfs_settings() {
	"$1" help workspace set 2>/dev/null | sed -nE 's/^  ([a-z0-9_]+=).*/\1/p'
}

_tonicfs_mountpoints() {
	sed -nE 's/^[^ ]+ ([^ ]+) fuse\.tonicfs .*/\1/p' /proc/mounts
}

_tonicfs() {
	local program=${COMP_WORDS[0]} word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}
	local commands words command='' i skip=''
	COMPREPLY=()

	case $previous in
	--catalog|--key-file|--new-key-file|--secret-file|--auth-token-file|--ca-file|--prices)
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
		compopt -o filenames
		return ;;
	-o|--options)
		mapfile -t COMPREPLY < <(compgen -W 'ro allow_other nonempty umask= names=sid catalog= key_file= metrics= refuse= noatime' -- "$word")
		compopt -o nospace
		return ;;
	esac

	# The command so far: the first words that are no options nor their values.
	commands=$(_tonicfs_commands "$program")
	for ((i = 1; i < COMP_CWORD; i++)); do
		words=${COMP_WORDS[i]}
		if [ -n "$skip" ]; then skip=; continue; fi
		case $words in
		--catalog|--key-file) skip=1; continue ;;
		-*) continue ;;
		help) [ -n "$command" ] || continue ;;
		esac
		if grep -qE "^${command:+$command }$words( |\$)" <<<"$commands"; then
			command=${command:+$command }$words
		else
			break
		fi
	done

	if [[ $word == -* ]]; then
		# shellcheck disable=SC2086
		mapfile -t COMPREPLY < <(compgen -W "$(_tonicfs_options "$program" $command)" -- "$word")
		return
	fi
	if [ -z "$command" ]; then
		mapfile -t COMPREPLY < <(compgen -W "$(cut -d ' ' -f 1 <<<"$commands" | sort -u)" -- "$word")
		return
	fi
	words=$(sed -n "s/^$command \([a-z]*\).*/\1/p" <<<"$commands")
	if [ -n "$words" ]; then
		mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
		return
	fi
	case $command in
	mount) mapfile -t COMPREPLY < <(compgen -d -- "$word"); compopt -o filenames ;;
	unmount) mapfile -t COMPREPLY < <(compgen -W "$(_tonicfs_mountpoints)" -- "$word"); compopt -o filenames ;;
	migrate|rm|url|restore|verify) mapfile -t COMPREPLY < <(compgen -f -- "$word"); compopt -o filenames ;;
	'storage lifecycle') mapfile -t COMPREPLY < <(compgen -W 'show set remove' -- "$word") ;;
	'workspace set') mapfile -t COMPREPLY < <(compgen -W "$(_tonicfs_settings "$program")" -- "$word"); compopt -o nospace ;;
	esac
}

complete -F _tonicfs tonicfs
