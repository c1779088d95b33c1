#include <string.h>

#include "reporter/cli/args.h"
#include "reporter/cli/commands.h"
#include "reporter/cli/complain.h"
#include "reporter/cli/help.h"
#include "reporter/write/writers.h"

int cmd_help(int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : NULL;
	if (argc > 2)
		return usage_error("help takes one word: a verb, options, kinds, or a kind of finding");
	if (!word || strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
		help_overview(stdout);
	else if (strcmp(word, "options") == 0)
		help_options();
	else if (strcmp(word, "kinds") == 0)
		help_kinds();
	else if (verb_find(word) != VERB_COUNT)
		help_verb(verb_find(word));
	else if (help_kind(word) != 0)
		return usage_error("no help on '%.60s'; there is help on the verbs ('whoholds help'), on "
				   "options, kinds, and on "
				   "each kind ('whoholds help kinds')",
				   word);
	return EXIT_GOOD;
}
