#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "reporter/cli/args.h"
#include "reporter/cli/commands.h"
#include "reporter/cli/complain.h"
#include "reporter/cli/difference.h"
#include "reporter/cli/output.h"

extern char **environ;

static void *more_memory(size_t bytes)
{
	return calloc(1, bytes);
}

static void less_memory(void *memory, size_t bytes)
{
	(void)bytes;
	free(memory);
}

/* All that a file holds, and a NUL. Return: NULL, with errno. */
static char *read_all(int fd)
{
	size_t used = 0, room = 65536;
	char *text = malloc(room);
	if (!text)
		return NULL;
	for (ssize_t got = 1; got > 0; used += (size_t)MAX_OF(got, 0)) {
		if (room - used < 2) {
			char *more = realloc(text, room *= 2);
			if (!more) {
				free(text);
				return NULL;
			}
			text = more;
		}
		got = read(fd, text + used, room - used - 1);
		if (got < 0 && errno != EINTR) {
			free(text);
			return NULL;
		}
		text[used + (size_t)MAX_OF(got, 0)] = '\0';
	}
	return text;
}

/* What `whoholds report` says of a recording, symbols and all. Return: NULL after a message. */
static char *render(char *name)
{
	char *words[] = { "whoholds", "report", "-v", "--format=json", "--", name, NULL };
	posix_spawn_file_actions_t actions;
	pid_t child;
	int status = -1, fd = memfd_create("report", MFD_CLOEXEC);
	char *text = NULL;
	if (fd < 0 || posix_spawn_file_actions_init(&actions) != 0) {
		complain("no memory to render %s", name);
		return NULL;
	}
	posix_spawn_file_actions_adddup2(&actions, fd, STDOUT_FILENO);
	if (posix_spawn(&child, "/proc/self/exe", &actions, NULL, words, environ) == 0)
		while (waitpid(child, &status, 0) < 0 && errno == EINTR)
			;
	posix_spawn_file_actions_destroy(&actions);
	/* It has said why not. */
	if (status == 0 && lseek(fd, 0, SEEK_SET) == 0)
		text = read_all(fd);
	close(fd);
	return text;
}

static bool is_json(const char *text)
{
	return !*text || text[strspn(text, " \t\r\n")] == '{';
}

/*
 * `may_be_empty`: as a baseline an empty file says that nothing is known yet; as the new run it would pass for one in which
 * nothing was found, and such a run writes a line. Return: 0, or an exit code after a message.
 */
static int read_run(char *name, bool may_be_empty, struct arena *arena, struct run_tally *ret_run)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	char first[64] = "", *text;
	if (fd < 0) {
		complain("cannot open %s: %s; wanted is a recording, or a report that --json wrote", name,
			 strerror(errno));
		return EXIT_FAILED;
	}
	ssize_t got = pread(fd, first, sizeof first - 1, 0);
	if (got < 0) {
		complain("cannot read %s: %s; wanted is a recording, or a report that --json wrote", name,
			 strerror(errno));
		close(fd);
		return EXIT_FAILED;
	}
	text = is_json(first) ? read_all(fd) : render(name);
	close(fd);
	if (!text)
		return EXIT_FAILED;
	int error = run_tally_read(ret_run, arena, text);
	free(text);
	ret_run->name = name;
	if (error == -ENODATA && may_be_empty)
		return 0;
	if (error == -ENOMEM)
		complain("no memory to read %s", name);
	else if (error == -ENODATA)
		complain("%s is empty: its run never wrote a report (one in which nothing is found does); "
			 "run it again",
			 name);
	else if (error)
		complain("%s is not a report as --json writes it, or not all of one; wanted are lines with "
			 "\"schema\": \"whoholds/1\"",
			 name);
	return error ? EXIT_FAILED : 0;
}

/* What is new or has grown, and is bad enough. */
static bool counts(const struct args *args, const struct changed *changed)
{
	if (changed->change != CHANGE_NEW && changed->change != CHANGE_GROWN)
		return false;
	for (unsigned severity = 0; severity <= SEVERITY_ERROR; severity++)
		if (strcmp(severity_name(severity), changed->new->severity) == 0 &&
		    severity >= args->fail_severity)
			return true;
	int kind = finding_kind_find(changed->new->kind);
	return kind >= 0 && args->fail_kinds >> kind & 1;
}

static int tell(const struct args *args, struct arena *arena, const struct difference *difference)
{
	struct output output;
	struct out out;
	int code = output_init(&output, args->output, STDOUT_FILENO, false);
	if (!code && out_init(&out, &output.sink, arena, false) == 0) {
		static const struct rec_header nobody;
		const struct view none = { .header = &nobody };
		if (strcmp(args->format, "json") == 0)
			difference_json(difference, &out);
		else
			difference_text(difference, &out, args->verbosity > 0);
		out_finish(&out);
		code = output_flush(&output, &none);
	}
	output_release(&output);
	for (size_t i = 0; !code && args->error_exitcode && i < difference->finding_count; i++)
		if (counts(args, &difference->findings[i]))
			code = args->error_exitcode;
	return code;
}

int cmd_diff(int argc, char **argv)
{
	struct args args;
	struct arena arena = { .more = more_memory, .less = less_memory };
	struct difference difference = { 0 };
	int code = args_parse(VERB_diff, argc, argv, &args);
	if (code)
		return code < 0 ? EXIT_GOOD : code;
	if (args.rest_count != 2)
		code = usage_error("diff wants two recordings, or two reports that --json wrote: the old one "
				   "and the new one");
	else if (strcmp(args.format, "text") != 0 && strcmp(args.format, "json") != 0)
		code = usage_error("diff writes text or json, not %s", args.format);
	if (!code)
		code = read_run(args.rest[0], true, &arena, &difference.old);
	if (!code)
		code = read_run(args.rest[1], false, &arena, &difference.new);
	if (!code && difference_make(&difference, &arena) != 0) {
		complain("no memory to compare them");
		code = EXIT_FAILED;
	}
	if (!code)
		code = tell(&args, &arena, &difference);
	arena_release(&arena);
	args_release(&args);
	return code;
}
