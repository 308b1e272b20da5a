# bash completion for tonicfs(1). Commands and options come from the program's own help, so they are always those of the program.

_tonicfs_commands() {
	"$1" help 2>/dev/null | sed -n '/^Commands:/,/^$/s/^  \([a-z]\+\( [a-z]\+\)\?\) .*/\1/p'
}

# The first cells of a table, without its head.
_tonicfs_names() {
	"$@" 2>/dev/null | sed -n '2,$s/  .*//p'
}

_tonicfs_complete_lines() { # WORD: from standard input; names may have blanks
	local word=$1 line
	COMPREPLY=()
	while IFS= read -r line; do
		[[ $line == "$word"* ]] && COMPREPLY+=("$(printf %q "$line")")
	done
}

_tonicfs() {
	local current previous program command= sub= i word
	local -a globals=()
	current=${COMP_WORDS[COMP_CWORD]}
	previous=${COMP_WORDS[COMP_CWORD - 1]}
	program=${COMP_WORDS[0]}
	COMPREPLY=()

	local arguments=0
	for ((i = 1; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		case $word in
		--catalog | --key-file)
			globals+=("$word" "${COMP_WORDS[i + 1]}")
			((i++)) ;;
		-*) ;;
		*)
			if [ -z "$command" ]; then
				command=$word
			elif [ -z "$sub" ]; then
				case $command in
				workspace | campaign | storage) sub=$word ;;
				*) ((arguments++)) ;;
				esac
			else
				((arguments++))
			fi ;;
		esac
	done

	case $previous in
	--catalog | --key-file | --secret-file | --ca-file)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$current")
		return ;;
	--encryption)
		mapfile -t COMPREPLY < <(compgen -W 'none sse-s3 sse-kms' -- "$current")
		return ;;
	-o | --options)
		mapfile -t COMPREPLY < <(compgen -W 'ro allow_other names=sid' -- "$current")
		return ;;
	esac

	if [[ $current == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$({
			"$program" help
			[ -z "$command" ] || "$program" help "$command" ${sub:+"$sub"}
		} 2>/dev/null | grep -oE -- '^  (-[a-z], )?--(\[no-\])?[a-z-]+' | grep -oE -- '--(\[no-\])?[a-z-]+' |
			sed -E 's/^--\[no-\](.*)/--\1 --no-\1/' | tr ' ' '\n' | sort -u)" -- "$current")
		return
	fi
	if [ -z "$command" ]; then
		mapfile -t COMPREPLY < <(compgen -W "$(_tonicfs_commands "$program" | cut -d' ' -f1 | sort -u)" -- "$current")
		return
	fi
	case "$command $sub" in
	"workspace " | "campaign " | "storage ")
		mapfile -t COMPREPLY < <(compgen -W "$(_tonicfs_commands "$program" | sed -n "s/^$command //p")" -- "$current") ;;
	"workspace set")
		if [ "$arguments" = 0 ]; then
			_tonicfs_complete_lines "$current" < <(_tonicfs_names "$program" "${globals[@]}" workspace list)
		else
			compopt -o nospace 2>/dev/null
			mapfile -t COMPREPLY < <(compgen -W "$("$program" help workspace set 2>/dev/null |
				grep -oE '^  [a-z_0-9]+=' | tr -d ' ')" -- "$current")
		fi ;;
	"workspace show" | "workspace remove" | "campaign list" | "campaign add" | "storage "* | "sync " | "status ")
		[ "$arguments" != 0 ] ||
			_tonicfs_complete_lines "$current" < <(_tonicfs_names "$program" "${globals[@]}" workspace list) ;;
	"campaign remove")
		if [ "$arguments" = 0 ]; then
			_tonicfs_complete_lines "$current" < <(_tonicfs_names "$program" "${globals[@]}" workspace list)
		elif [ "$arguments" = 1 ]; then
			_tonicfs_complete_lines "$current" < <(_tonicfs_names "$program" "${globals[@]}" campaign list "$previous")
		fi ;;
	"help ")
		mapfile -t COMPREPLY < <(compgen -W "$(_tonicfs_commands "$program" | cut -d' ' -f1 | sort -u)" -- "$current") ;;
	"mount ")
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -d -- "$current") ;;
	"migrate " | "rm ")
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$current") ;;
	esac
}

complete -F _tonicfs tonicfs
