#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reporter/cli/args.h"
#include "reporter/cli/bare.h"
#include "reporter/cli/commands.h"
#include "reporter/cli/complain.h"
#include "reporter/cli/render.h"
#include "reporter/cli/resolve.h"
#include "reporter/cli/target.h"
#include "reporter/recording/process.h"

static int dump_recording(struct renderer *renderer, struct reader *reader)
{
	const struct rec_header *header = reader->view.header;
	bool replaced = atomic_load_explicit(&header->state, memory_order_relaxed) == REC_EXECED;
	struct account account = {
		.reader = reader,
		.pid = replaced ? 0 : process_of(header),
		.trigger = TRIGGER_REQUEST,
		.all_threads = true,
	};
	return renderer_tell(renderer, &account, NULL, NULL);
}

/* A process that is gone can't be dumped, but what it knew may still be there. */
static void point_to_left(const char *name)
{
	struct reader reader;
	if (resolve_recording(name, &reader) != 0)
		return;
	complain("it left a recording: 'whoholds report %s' shows it", reader.path);
	reader_close(&reader);
}

/* Return: an exit code. */
static int dump(struct renderer *renderer, const char *name)
{
	struct reader reader;
	pid_t pid = resolve_pid(name);
	bool is_pid = pid && access(name, F_OK) != 0;
	const char *unfit = is_pid ? target_unfit(pid) : NULL;
	if (unfit) {
		complain("process %d %s", pid, unfit);
		point_to_left(name);
		return EXIT_FAILED;
	}
	int error = is_pid ? reader_open_pid(pid, &reader) : reader_open(name, &reader);
	if (!error) {
		error = dump_recording(renderer, &reader);
		reader_close(&reader);
		return error;
	}
	if (is_pid && error == -ENODATA)
		return bare_dump(renderer, pid);
	if (!is_pid && error == -ENOENT)
		return usage_error(
		    "'%.200s' is neither a pid nor a recording; 'whoholds list' shows those there are", name);
	complain("%s", reader.error);
	if (is_pid && error == -ESRCH)
		point_to_left(name);
	return EXIT_FAILED;
}

int cmd_dump(int argc, char **argv)
{
	struct args args;
	struct renderer renderer;
	int code = args_parse(VERB_dump, argc, argv, &args);
	if (code)
		return code < 0 ? EXIT_GOOD : code;
	if (args.rest_count != 1) {
		code = args.rest_count
			   ? usage_error("dump takes one pid or recording; %d were given", args.rest_count)
			   : usage_error(
				 "dump wants a pid or a recording; 'whoholds list' shows those there are");
		args_release(&args);
		return code;
	}
	code = renderer_init(&renderer, &args, STDOUT_FILENO);
	if (!code) {
		int failed = dump(&renderer, args.rest[0]);
		code = renderer_end(&renderer);
		code = failed ? failed : code;
	}
	args_release(&args);
	return code;
}
