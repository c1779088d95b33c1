#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "reporter/cli/args.h"
#include "reporter/cli/commands.h"
#include "reporter/cli/complain.h"
#include "reporter/cli/output.h"
#include "reporter/cli/resolve.h"
#include "reporter/cli/target.h"
#include "reporter/recording/process.h"
#include "reporter/symbolize/symbolize.h"
#include "reporter/write/writers.h"

static void *more_memory(size_t bytes)
{
	return calloc(1, bytes);
}

static void less_memory(void *memory, size_t bytes)
{
	(void)bytes;
	free(memory);
}

struct screen {
	struct output output;
	struct symbolizer *symbolizer;
	struct arena arena;
	bool redraws; /* a terminal: each look takes the place of the one before */
	bool color;
};

/* Return: 0, or an exit code after a message. */
static int draw(struct screen *screen, struct reader *reader, pid_t pid)
{
	static const char clear[] = "\033[H\033[2J";
	struct snapshot snapshot;
	snapshot_take(&reader->view, process_now(), &screen->arena, &snapshot);
	target_look(&snapshot, pid);
	target_complete(&snapshot, reader, pid);
	struct report report = {
		.view = &reader->view,
		.snapshot = &snapshot,
		.symbolizer = screen->symbolizer,
		.arena = &screen->arena,
		.trigger = TRIGGER_REQUEST,
		.color = screen->color,
	};
	if (screen->redraws)
		screen->output.sink.put(&screen->output.sink, clear, sizeof clear - 1);
	int error = write_top(&report, &screen->output.sink);
	if (!screen->redraws)
		screen->output.sink.put(&screen->output.sink, "\n", 1);
	arena_reset(&screen->arena);
	if (error == -ENOMEM)
		complain("no memory for a look");
	return output_flush(&screen->output, &reader->view) || error ? EXIT_FAILED : 0;
}

/* Between two looks, where the command line does not say. */
#define DELAY (2 * NSEC_PER_SEC)

static int watch(struct screen *screen, struct reader *reader, pid_t pid, const struct args *args)
{
	nsec_t between = args->delay ? args->delay : DELAY;
	struct timespec delay = { .tv_sec = (time_t)(between / NSEC_PER_SEC),
				  .tv_nsec = (long)(between % NSEC_PER_SEC) };
	for (uint32_t look = 1;; look++) {
		int error = draw(screen, reader, pid);
		if (error || look == args->looks)
			return error;
		nanosleep(&delay, NULL);
		/* That it has ended is how most looks at a program end. */
		if (process_of(reader->view.header) == 0)
			return 0;
		if (reader_refresh(reader) != 0) {
			complain("%s", reader->error);
			return EXIT_FAILED;
		}
	}
}

static int top(const struct args *args, pid_t pid)
{
	struct reader reader;
	struct screen screen = { .arena = { .more = more_memory, .less = less_memory } };
	const char *unfit = target_unfit(pid);
	if (unfit) {
		complain("process %d %s", pid, unfit);
		return EXIT_FAILED;
	}
	if (reader_open_pid(pid, &reader) != 0) {
		complain("%s", reader.error);
		return EXIT_FAILED;
	}
	int error = output_init(&screen.output, args->output, STDOUT_FILENO, false);
	bool terminal = !error && output_is_terminal(&screen.output);
	screen.redraws = terminal && !args->batch;
	screen.color = args->color == COLOR_WHEN_ALWAYS ||
		       (args->color == COLOR_WHEN_AUTO && terminal && !getenv("NO_COLOR"));
	screen.symbolizer = error ? NULL : symbolizer_open();
	if (!error && !screen.symbolizer) {
		complain("no memory for symbols");
		error = EXIT_FAILED;
	}
	if (!error)
		error = watch(&screen, &reader, pid, args);
	symbolizer_close(screen.symbolizer);
	output_release(&screen.output);
	arena_release(&screen.arena);
	reader_close(&reader);
	return error;
}

int cmd_top(int argc, char **argv)
{
	struct args args;
	int code = args_parse(VERB_top, argc, argv, &args);
	if (code)
		return code < 0 ? EXIT_GOOD : code;
	pid_t pid = args.rest_count == 1 ? resolve_pid(args.rest[0]) : 0;
	if (args.rest_count != 1)
		code = usage_error("top wants a pid; 'whoholds list' shows those there are");
	else if (!pid)
		code =
		    usage_error("'%.200s' is not a pid; 'whoholds list' shows those there are", args.rest[0]);
	else
		code = top(&args, pid);
	args_release(&args);
	return code;
}
