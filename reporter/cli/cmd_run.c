#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reporter/cli/args.h"
#include "reporter/cli/commands.h"
#include "reporter/cli/complain.h"
#include "reporter/cli/elf_check.h"
#include "reporter/cli/launch.h"
#include "reporter/cli/monitor.h"
#include "reporter/cli/render.h"

#define POLL_MS 100

/* Return: 0, or an exit code after a message. */
static int check_program(const char *name, char path[ELF_CHECK_PATH_BYTES])
{
	char message[2 * ELF_CHECK_PATH_BYTES];
	struct text reason = TEXT_OF(message);
	int error = elf_check_find(name, path);
	if (error == -ENOENT || error == -ENOTDIR) {
		complain("cannot find '%s'%s", name,
			 strchr(name, '/') ? "; check the path"
					   : " in $PATH; give its path, or check its name");
		return EXIT_NOT_FOUND;
	}
	if (error == -EACCES && !strchr(name, '/')) {
		complain("cannot run '%s': '%s' is not executable (chmod +x)", name, path);
		return EXIT_UNLOADABLE;
	}
	if (error) {
		complain("cannot run '%.200s': %s", name, strerror(-error));
		return EXIT_UNLOADABLE;
	}
	int code = elf_check(path, &reason);
	if (code)
		complain("cannot run '%s': %s", name, message);
	return code;
}

/* File names that processes of the run open themselves must not depend on where those are. */
static void make_absolute(char name[OPTION_TEXT_BYTES], const char *word)
{
	if (strcmp(name, word) == 0 || strcmp(name, "-") == 0)
		return;
	char *absolute = args_absolute(name);
	if (absolute && strlen(absolute) < OPTION_TEXT_BYTES)
		memcpy(name, absolute, strlen(absolute) + 1);
	free(absolute);
}

/* The options as the library of each process gets them. */
static struct options options_for_library(const struct args *args)
{
	struct options in_force = args->options;
	make_absolute(in_force.log, "stderr");
	make_absolute(in_force.json, "none");
	/* "-" is our standard output, not one that a process of the run may have by then. */
	if (strcmp(in_force.log, "-") == 0)
		snprintf(in_force.log, sizeof in_force.log, "stderr");
	if (strcmp(in_force.json, "-") == 0)
		snprintf(in_force.json, sizeof in_force.json, "none");
	return in_force;
}

static int run(const struct args *args, struct renderer *renderer)
{
	/* Static: the thread that passes signals on does not end before the command. */
	static struct launch launch;
	struct monitor monitor;
	char path[ELF_CHECK_PATH_BYTES];
	int code = check_program(args->rest[0], path);
	if (code)
		return code;
	struct options in_force = options_for_library(args);
	/* Otherwise a process with nothing to report would take its recording along, and its end would not be seen. */
	bool all_ends = args->json || args->verbosity > 0 || strcmp(args->format, "text") != 0;
	code = launch_prepare(&launch, &in_force, all_ends);
	if (!code) {
		renderer_fold(renderer);
		monitor_init(&monitor, renderer, &launch, args->options.keep);
		code = launch_start(&launch, path, args->rest);
		while (!code && !launch.ended) {
			launch_wait(&launch, POLL_MS);
			monitor_poll(&monitor);
		}
		monitor_finish(&monitor);
		if (!code)
			code = launch_exit_code(&launch);
	}
	launch_release(&launch);
	return code;
}

int cmd_run(int argc, char **argv)
{
	struct args args;
	struct renderer renderer;
	int code = args_parse(VERB_run, argc, argv, &args);
	if (code)
		return code < 0 ? EXIT_GOOD : code;
	if (args.rest_count == 0) {
		args_release(&args);
		return usage_error("run wants a program: whoholds run [options] [--] PROGRAM [ARG...]");
	}
	code = renderer_init(&renderer, &args, STDERR_FILENO);
	if (!code) {
		code = run(&args, &renderer);
		bool counts = renderer.counts && args.error_exitcode;
		renderer_end(&renderer);
		if (counts)
			code = args.error_exitcode;
	}
	args_release(&args);
	return code;
}
