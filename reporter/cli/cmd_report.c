#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reporter/cli/args.h"
#include "reporter/cli/commands.h"
#include "reporter/cli/complain.h"
#include "reporter/cli/render.h"
#include "reporter/cli/resolve.h"
#include "reporter/recording/process.h"

/* What the recording itself says about how its process ended. */
static void describe_end(const struct rec_header *header, struct account *account)
{
	switch (atomic_load_explicit(&header->state, memory_order_relaxed)) {
	case REC_EXITED:
		account->trigger = TRIGGER_EXIT;
		account->has_exit_code = header->exit_code >= 0;
		account->exit_code = header->exit_code;
		return;
	case REC_EXECED:
		account->trigger = TRIGGER_EXIT;
		return;
	default:
		account->trigger = TRIGGER_CRASH;
		account->all_threads = true;
	}
}

static int report_one(struct renderer *renderer, const struct args *args, const char *name)
{
	struct reader reader;
	int error = resolve_recording(name, &reader);
	if (error) {
		complain("%s", reader.error);
		return EXIT_FAILED;
	}
	bool replaced = atomic_load_explicit(&reader.view.header->state, memory_order_relaxed) == REC_EXECED;
	struct account account = {
		.reader = &reader,
		.pid = replaced ? 0 : process_of(reader.view.header),
		.since = args->new_since,
	};
	if (account.pid == 0)
		describe_end(reader.view.header, &account);
	else
		account.trigger = TRIGGER_REQUEST;
	if (args->has_trigger) {
		account.trigger = args->trigger;
		account.quiet_end = args->trigger == TRIGGER_EXIT;
		account.all_threads = args->trigger == TRIGGER_REQUEST;
	}
	error = renderer_tell(renderer, &account, NULL, NULL);
	reader_close(&reader);
	return error;
}

int cmd_report(int argc, char **argv)
{
	struct args args;
	struct renderer renderer;
	int code = args_parse(VERB_report, argc, argv, &args);
	if (code)
		return code < 0 ? EXIT_GOOD : code;
	if (args.rest_count == 0) {
		args_release(&args);
		return usage_error("report wants a recording; 'whoholds list' shows those there are");
	}
	code = renderer_init(&renderer, &args, STDOUT_FILENO);
	if (!code) {
		int failed = 0;
		for (int i = 0; i < args.rest_count; i++) {
			int error = report_one(&renderer, &args, args.rest[i]);
			failed = failed ? failed : error;
		}
		code = renderer_end(&renderer);
		code = failed ? failed : code;
	}
	args_release(&args);
	return code;
}
