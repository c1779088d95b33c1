#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "reporter/cli/args.h"
#include "reporter/cli/commands.h"
#include "reporter/cli/complain.h"
#include "reporter/cli/render.h"
#include "reporter/cli/resolve.h"
#include "reporter/cli/target.h"
#include "reporter/recording/process.h"

/* Its reporter thread begins at once, unless the process is stopped or the machine has no time for it. */
#define BEGIN_LIMIT (10 * NSEC_PER_SEC)
#define POLL_NS (10 * (long)NSEC_PER_MSEC)

/* Why the process can't be asked at all, or NULL. */
static const char *unable(const struct rec_header *header)
{
	if (header->flags & REC_ALLOC_OFF)
		return "records no allocations (alloc=off), so there is nothing to search for";
	if (header->degraded & REC_NO_REPORTER)
		return "has no reporter thread (it filters its own system calls, or none could be started), "
		       "so it "
		       "can't be asked; unreachable memory is looked for at its end";
	return NULL;
}

static bool is_alive(const struct rec_header *header)
{
	return process_of(header) != 0 &&
	       atomic_load_explicit(&header->state, memory_order_relaxed) == REC_RUNNING;
}

/* Waits until request `number` has been answered. Return: 0, or an exit code after a message. */
static int wait_for_answer(struct reader *reader, pid_t pid, uint32_t number)
{
	const struct timespec moment = { .tv_nsec = POLL_NS };
	nsec_t from = process_now();
	for (;;) {
		struct rec_header header;
		int error = reader_glance(reader, &header);
		if (error) {
			complain("%s", reader->error);
			return EXIT_FAILED;
		}
		/* Numbers go around one day. */
		if ((int32_t)(header.scan.done - number) >= 0)
			return 0;
		if (!is_alive(&header)) {
			complain("process %d ended before it had answered", pid);
			return EXIT_FAILED;
		}
		if ((int32_t)(header.scan.begun - number) < 0 && process_now() - from > BEGIN_LIMIT) {
			complain("process %d does not answer: its reporter thread %s", pid,
				 header.flags & REC_REPORTER_RUNS ? "gets no time, or the process is stopped"
								  : "starts with its first blocking call or "
								    "second thread, and there was none yet");
			return EXIT_FAILED;
		}
		nanosleep(&moment, NULL);
	}
}

static const char *reason(int32_t error)
{
	switch (error) {
	case -ETIMEDOUT:
	case -EINPROGRESS:
		return "it took too long, or its image was killed";
	case -ENOMEM:
		return "there is too little memory for it";
	case -ECANCELED:
		return "the process ends, or changes its credentials, just now";
	case -EAGAIN:
	case -EPERM:
		return "the process may not make another one";
	case -ENOENT:
	case -EACCES:
		return "it has no /proc to look into";
	default:
		return strerror(-error);
	}
}

/* Return: an exit code. */
static int search(struct renderer *renderer, struct reader *reader, pid_t pid)
{
	const char *why = unable(&reader->header);
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
	error = wait_for_answer(reader, pid, number);
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
