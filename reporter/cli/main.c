/*
 * The command. What a user may rely on (verbs, flags, exit codes) is in verbs.def, flags.def
 * and complain.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reporter/cli/args.h"
#include "reporter/cli/commands.h"
#include "reporter/cli/complain.h"
#include "reporter/cli/help.h"

/*
 * A descriptor that is closed would be given to the first file we open, and get our messages. The program that
 * run starts finds it closed, as we did.
 */
static void fill_standard_descriptors(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF && open("/dev/null", O_RDWR | O_CLOEXEC) != fd)
			exit(EXIT_FAILED);
}

/* Product goes to standard output through stdio in help and list: a full disk must not go unnoticed. */
static int flush_output(int code)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return code;
	complain("cannot write to standard output: %s", strerror(errno));
	return code ? code : EXIT_FAILED;
}

int main(int argc, char **argv)
{
	static int (*const commands[VERB_COUNT])(int, char **) = {
#define PRESENT(id, arguments, sentence) [VERB_##id] = cmd_##id,
#define ABSENT(id, arguments, sentence)
#include "reporter/cli/verbs.def"
	};
	fill_standard_descriptors();
	const char *word = argc > 1 ? argv[1] : NULL;
	if (!word) {
		help_overview(stderr);
		return EXIT_USAGE;
	}
	if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
		help_overview(stdout);
		return flush_output(EXIT_GOOD);
	}
	if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0) {
		printf("whoholds %s\n", WH_VERSION);
		return flush_output(EXIT_GOOD);
	}
	enum verb_id verb = verb_find(word);
	if (verb == VERB_COUNT && word[0] == '-')
		return usage_error(
		    "flags come behind the verb: whoholds VERB %.60s; 'whoholds help' lists the verbs", word);
	if (verb == VERB_COUNT)
		return usage_error(
		    "no verb '%.60s'; 'whoholds help' lists them, 'whoholds run %.60s' runs a program", word,
		    word);
	if (!commands[verb])
		return usage_error("%s is not in this version; 'whoholds help' lists the verbs that are",
				   word);
	return flush_output(commands[verb](argc - 1, argv + 1));
}
