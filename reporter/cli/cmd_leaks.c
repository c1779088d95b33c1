#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reporter/cli/args.h"
#include "reporter/cli/asking.h"
#include "reporter/cli/commands.h"
#include "reporter/cli/complain.h"
#include "reporter/cli/render.h"
#include "reporter/cli/resolve.h"
#include "reporter/cli/target.h"
#include "reporter/recording/process.h"

static struct progress progress(const struct rec_header *header)
{
	return (struct progress){ .begun = header->scan.begun, .done = header->scan.done };
}

static const char *reason(int32_t error)
{
	switch (error) {
	case -EAGAIN:
	case -EPERM:
	case -ENOSYS:
		return "the process may not make another one";
	case -ENOENT:
	case -EACCES:
		return "it has no /proc to look into";
	default:
		return asking_reason(error);
	}
}

/* Return: an exit code. */
static int search(struct renderer *renderer, struct reader *reader, pid_t pid)
{
	const char *why = asking_unable(
	    &reader->header, "records no allocations (alloc=off), so there is nothing to search for",
	    "has no reporter thread (it filters its own system calls, or none could be started), so it can't "
	    "be "
	    "asked; unreachable memory is looked for at its end");
	if (why) {
		complain("process %d %s", pid, why);
		return EXIT_FAILED;
	}
	uint32_t number;
	int error = reader_ask_scan(reader, &number);
	if (error) {
		complain("cannot ask process %d: %s", pid, strerror(-error));
		return EXIT_FAILED;
	}
	error = asking_wait(reader, pid, number, progress);
	if (error)
		return error;
	error = reader_refresh(reader);
	if (error) {
		complain("%s", reader->error);
		return EXIT_FAILED;
	}
	if (reader->header.scan.error) {
		complain("process %d was not searched: %s", pid, reason(reader->header.scan.error));
		return EXIT_FAILED;
	}
	struct account account = {
		.reader = reader,
		.pid = process_of(&reader->header),
		.trigger = TRIGGER_REQUEST,
		.scan = true,
	};
	return renderer_tell(renderer, &account, NULL, NULL);
}

static int leaks(struct renderer *renderer, const char *name)
{
	struct reader reader;
	pid_t pid = resolve_pid(name);
	if (!pid)
		return usage_error(
		    "leaks wants the pid of a running process, not '%.200s'; 'whoholds list' shows them",
		    name);
	const char *unfit = target_unfit(pid);
	if (unfit) {
		complain("process %d %s", pid, unfit);
		return EXIT_FAILED;
	}
	int error = reader_open_pid(pid, &reader);
	if (error) {
		complain("%s", reader.error);
		return EXIT_FAILED;
	}
	error = search(renderer, &reader, pid);
	reader_close(&reader);
	return error;
}

int cmd_leaks(int argc, char **argv)
{
	struct args args;
	struct renderer renderer;
	int code = args_parse(VERB_leaks, argc, argv, &args);
	if (code)
		return code < 0 ? EXIT_GOOD : code;
	if (args.rest_count != 1) {
		code = args.rest_count
			   ? usage_error("leaks takes one pid; %d were given", args.rest_count)
			   : usage_error("leaks wants a pid; 'whoholds list' shows those there are");
		args_release(&args);
		return code;
	}
	code = renderer_init(&renderer, &args, STDOUT_FILENO);
	if (!code) {
		int failed = leaks(&renderer, args.rest[0]);
		code = renderer_end(&renderer);
		code = failed ? failed : code;
	}
	args_release(&args);
	return code;
}
