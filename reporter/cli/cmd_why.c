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
#include "reporter/write/names.h"

/* Sites whose functions are looked up to find one by its name, those with the most live bytes first. */
#define SITES_LOOKED_UP 5000u

/* -- what is asked about ----------------------------------------------------- */

struct question {
	uint32_t what; /* enum rec_why_what */
	uint64_t value;
};

struct candidate {
	site_id site;
	stack_id stack;
	uint64_t bytes;
};

static int by_bytes(const void *a, const void *b)
{
	const struct candidate *left = a, *right = b;
	return left->bytes < right->bytes ? 1 : left->bytes > right->bytes ? -1 : 0;
}

/* The sites that have something live, the largest first; in the arena. */
static uint32_t live_sites(const struct view *view, struct arena *arena, struct candidate **ret_sites)
{
	uint32_t sites = view_sites(view), count = 0;
	*ret_sites = arena_array(arena, sites, sizeof **ret_sites);
	if (!*ret_sites)
		return 0;
	for (site_id site = 1; site < sites; site++) {
		struct site_counts counts = view_site_counts(view, site);
		if (counts.live_blocks && view_site(view, site)->stack)
			(*ret_sites)[count++] =
			    (struct candidate){ site, view_site(view, site)->stack, counts.live_bytes };
	}
	qsort(*ret_sites, count, sizeof **ret_sites, by_bytes);
	return count;
}

static bool is_called(const char *function, const char *wanted)
{
	size_t length;
	const char *stem = function ? function_stem(function, &length) : NULL;
	return function && (strcmp(function, wanted) == 0 ||
			    (length == strlen(wanted) && memcmp(stem, wanted, length) == 0));
}

/*
 * The site with the most live memory that a function of that name is in: as the one that allocated, else
 * anywhere in the stack. Return: 0: none.
 */
static stack_id find_site(struct names *names, const char *function)
{
	struct candidate *sites;
	uint32_t count = live_sites(names->report->view, names->arena, &sites);
	stack_id inside = 0;
	for (uint32_t i = 0; i < MIN_OF(count, SITES_LOOKED_UP); i++) {
		const struct named_stack *stack = names_stack(names, sites[i].stack);
		const struct frame *own = names_own_frame(names, sites[i].stack);
		if (own && is_called(own->function, function))
			return sites[i].stack;
		for (size_t j = 0; j < stack->count && !inside; j++)
			if (is_called(stack->frames[j].function, function))
				inside = sites[i].stack;
	}
	return inside;
}

/* An address is written in hexadecimal, with 0x; a stack as reports number it; and the rest is a function. */
static bool understand(struct renderer *renderer, struct reader *reader, const char *text,
		       struct question *ret_question)
{
	char *end;
	errno = 0;
	uint64_t value = strtoull(text, &end, 0);
	bool number = *text >= '0' && *text <= '9' && !*end && !errno;
	if (number && strncmp(text, "0x", 2) == 0) {
		*ret_question = (struct question){ WHY_OF_ADDRESS, value };
		return true;
	}
	struct snapshot snapshot;
	snapshot_take(&reader->view, process_now(), &renderer->arena, &snapshot);
	struct report report = {
		.view = &reader->view,
		.snapshot = &snapshot,
		.symbolizer = renderer->symbolizer,
		.arena = &renderer->arena,
	};
	struct names names;
	stack_id stack = 0;
	if (number && view_stack(&reader->view, (stack_id)value) &&
	    view_stack(&reader->view, (stack_id)value)->site)
		stack = (stack_id)value;
	else if (!number && names_init(&names, &report) == 0)
		stack = find_site(&names, text);
	arena_reset(&renderer->arena);
	*ret_question = (struct question){ WHY_OF_SITE, stack };
	return stack;
}

/* -- asking ------------------------------------------------------------------ */

static struct progress progress(const struct rec_header *header)
{
	return (struct progress){ .begun = header->why.begun, .done = header->why.done };
}

static const char *reason(int32_t error)
{
	return error == -ENOENT ? "nothing that is known to be allocated is there" : asking_reason(error);
}

static int ask(struct renderer *renderer, struct reader *reader, pid_t pid, const struct question *question,
	       const char *text)
{
	uint32_t number;
	const char *why_not = asking_unable(
	    &reader->header, "records no allocations (alloc=off), so nothing is known of what is alive",
	    "has no reporter thread (it filters its own system calls, or none could be started), so it can't "
	    "be "
	    "asked");
	if (why_not) {
		complain("process %d %s", pid, why_not);
		return EXIT_FAILED;
	}
	int error = reader_ask_why(reader, question->what, question->value, &number);
	if (error) {
		complain("cannot ask process %d: %s", pid, strerror(-error));
		return EXIT_FAILED;
	}
	error = asking_wait(reader, pid, number, progress);
	if (error)
		return error;
	if (reader_refresh(reader) != 0) {
		complain("%s", reader->error);
		return EXIT_FAILED;
	}
	const struct rec_why *answer = view_why(&reader->view);
	if (!answer || answer->number != number || answer->what != question->what ||
	    answer->value != question->value) {
		complain("process %d was asked something else at the same time; try again", pid);
		return EXIT_FAILED;
	}
	if (answer->error) {
		complain("process %d can't say why '%.200s' is alive: %s", pid, text, reason(answer->error));
		return EXIT_FAILED;
	}
	struct account account = {
		.reader = reader,
		.pid = process_of(&reader->header),
		.trigger = TRIGGER_REQUEST,
		.why = answer,
	};
	return renderer_tell(renderer, &account, NULL, NULL);
}

/* Of one that is gone its memory is gone too. */
static int say_what_is_left(const struct reader *reader, const struct question *question)
{
	const struct rec_stack *stack = view_stack(&reader->view, (stack_id)question->value);
	if (question->what == WHY_OF_SITE && stack) {
		struct site_counts counts = view_site_counts(&reader->view, stack->site);
		complain("process %d has ended, and with it the memory that would say what kept anything "
			 "alive; of that site %lu bytes in %lu blocks were live at the end",
			 reader->header.pid, counts.live_bytes, counts.live_blocks);
	} else {
		complain("process %d has ended, and with it the memory that would say what kept anything "
			 "alive: ask it while it runs",
			 reader->header.pid);
	}
	return EXIT_FAILED;
}

/* Return: an exit code. */
static int why(struct renderer *renderer, const char *name, const char *text)
{
	struct reader reader;
	struct question question;
	pid_t pid = resolve_pid(name);
	bool is_pid = pid && access(name, F_OK) != 0;
	const char *unfit = is_pid ? target_unfit(pid) : NULL;
	if (unfit) {
		complain("process %d %s", pid, unfit);
		return EXIT_FAILED;
	}
	int error = is_pid ? reader_open_pid(pid, &reader) : reader_open(name, &reader);
	if (!is_pid && error == -ENOENT)
		return usage_error(
		    "'%.200s' is neither a pid nor a recording; 'whoholds list' shows those there are", name);
	if (error) {
		complain("%s", reader.error);
		return EXIT_FAILED;
	}
	if (!understand(renderer, &reader, text, &question))
		error = usage_error("'%.200s' is neither an address (0x...), nor the number of a stack that "
				    "allocated, nor a function that has anything live",
				    text);
	else if (!asking_alive(&reader.header))
		error = say_what_is_left(&reader, &question);
	else
		error = ask(renderer, &reader, process_of(&reader.header), &question, text);
	reader_close(&reader);
	return error;
}

int cmd_why(int argc, char **argv)
{
	struct args args;
	struct renderer renderer;
	int code = args_parse(VERB_why, argc, argv, &args);
	if (code)
		return code < 0 ? EXIT_GOOD : code;
	if (args.rest_count != 2) {
		code =
		    usage_error("why wants a pid, and an address (0x...), the number of a stack or the name "
				"of a function that allocated");
		args_release(&args);
		return code;
	}
	code = renderer_init(&renderer, &args, STDOUT_FILENO);
	if (!code) {
		int failed = why(&renderer, args.rest[0], args.rest[1]);
		code = renderer_end(&renderer);
		code = failed ? failed : code;
	}
	args_release(&args);
	return code;
}
