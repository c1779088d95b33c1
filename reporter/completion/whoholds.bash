# bash completion of whoholds. The words come from the command's own help, which is made from its tables: they can't
# get out of step.

_whoholds_verbs() {
	"$1" --help 2>/dev/null | sed -n 's/^  whoholds \([a-z]*\) .*/\1/p'
}

_whoholds_flags() { # COMMAND VERB
	"$1" help "$2" 2>/dev/null | sed -n 's/^  \(-[a-zA-Z], \)\{0,1\}\(--[a-z-]*=\{0,1\}\).*/\2/p'
}

_whoholds_keys() {
	"$1" help options 2>/dev/null | sed -n 's/^  \([a-z_]*\) .*/\1=/p'
}

_whoholds_kinds() {
	"$1" help kinds 2>/dev/null | sed -n 's/^  \([a-z-]*\) .*/\1/p'
}

_whoholds_recordings() {
	"$1" list 2>/dev/null | sed -n 's|^.*  \(/.*\.whr\)$|\1|p'
}

_whoholds_pids() {
	"$1" list 2>/dev/null | sed -n 's/^ *\([0-9]*\)  .* live .*/\1/p'
}

_whoholds() {
	local command=$1 current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} verb=${COMP_WORDS[1]}
	local words='' flag='' i
	COMPREPLY=()

	if [ "$COMP_CWORD" = 1 ]; then
		mapfile -t COMPREPLY < <(compgen -W "$(_whoholds_verbs "$command") --help --version" -- "$current")
		return
	fi

	# Behind the program of a run, its own arguments are none of our business.
	if [ "$verb" = run ]; then
		for ((i = 2; i < COMP_CWORD; i++)); do
			case ${COMP_WORDS[i]} in
			-o | --set | --output | --json | --config | --suppressions | --gen-suppressions | --fail-on | --format | --color | --error-exitcode)
				# "--flag=value" comes as three words.
				[ "${COMP_WORDS[i + 1]}" != = ] || i=$((i + 1))
				i=$((i + 1))
				;;
			-*) ;;
			*)
				_whoholds_program "$i"
				return
				;;
			esac
		done
	fi

	case $previous in
	=) flag=${COMP_WORDS[COMP_CWORD - 2]} ;;
	-*) flag=$previous ;;
	esac
	[ "$current" != = ] || current=''
	case $flag in
	--format) words='text json' ;;
	--color) words='auto always never' ;;
	--set) words=$(_whoholds_keys "$command") ;;
	--fail-on) words="$(_whoholds_kinds "$command") error warning info" ;;
	--error-exitcode) return ;;
	-o | --output | --json | --config | --suppressions | --gen-suppressions)
		mapfile -t COMPREPLY < <(compgen -f -- "$current")
		return
		;;
	esac

	if [ -z "$words" ]; then
		case $current in
		-*) words=$(_whoholds_flags "$command" "$verb") ;;
		*)
			case $verb in
			dump) words="$(_whoholds_pids "$command") $(_whoholds_recordings "$command")" ;;
			report) words=$(_whoholds_recordings "$command") ;;
			help) words="$(_whoholds_verbs "$command") options kinds $(_whoholds_kinds "$command")" ;;
			run) mapfile -t COMPREPLY < <(compgen -c -- "$current") ;;
			esac
			;;
		esac
	fi
	[ -z "$words" ] || mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
	case ${COMPREPLY[0]} in
	*=) compopt -o nospace 2>/dev/null ;;
	esac
	case $verb in
	dump | report | run) [ ${#COMPREPLY[@]} -gt 0 ] || mapfile -t COMPREPLY < <(compgen -f -- "$current") ;;
	esac
}

# The completion of the program that is run, where bash-completion is there; else file names.
_whoholds_program() {
	if declare -F _command_offset >/dev/null; then
		_command_offset "$1"
	else
		mapfile -t COMPREPLY < <(compgen -f -- "${COMP_WORDS[COMP_CWORD]}")
	fi
}

complete -F _whoholds whoholds
