# shellcheck shell=bash disable=SC2154,SC2013
# Help, manual page and completion say what the tables say.

page=reporter/man/whoholds.1.scd
for flag in $(sed -n 's/^FLAG([a-z_]*, "\([a-z-]*\)".*/\1/p' reporter/cli/flags.def); do
	holds "the manual page has --$flag" grep -qe "--$flag" "$page"
done
for verb in $(sed -n 's/^[PA][A-Z]*(\([a-z]*\), ".*/\1/p' reporter/cli/verbs.def); do
	holds "the manual page has the verb $verb" grep -q "\*$verb\*" "$page"
done
for option in $(sed -n 's/^OPTION(\([a-z_]*\),.*/\1/p' shim/options.def); do
	holds "the manual page has the option $option" grep -qE "^\*$option\*|, \*$option\*" "$page"
done
if command -v scdoc >/dev/null; then
	holds 'scdoc takes the manual page' sh -c "scdoc <'$page'"
else
	skip 'the manual page' 'no scdoc'
fi

# complete WORD...: what the completion offers for the last word, at the first place
complete_words() {
	bash -c '. reporter/completion/whoholds.bash; command=$1; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
		_whoholds "$command"; echo "${COMPREPLY[*]}"' - "$wh" "$@" 2>/dev/null
}
holds 'verbs are completed' test "$(complete_words whoholds du)" = dump
holds 'flags are completed' test "$(complete_words whoholds run --error)" = --error-exitcode=
holds 'option keys are completed' test "$(complete_words whoholds run --set bloc)" = blocked=
holds 'kinds are completed' test "$(complete_words whoholds help held)" = held-at-exit
holds 'formats are completed' test "$(complete_words whoholds run --format = j)" = json
holds "a program's arguments are not ours to complete" test "$(complete_words whoholds run ls reporter/compl)" = reporter/completion
