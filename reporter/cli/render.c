#include "reporter/cli/render.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "reporter/cli/collect.h"
#include "reporter/cli/complain.h"
#include "reporter/cli/target.h"
#include "reporter/recording/process.h"
#include "reporter/symbolize/symbolize.h"
#include "reporter/write/identity.h"
#include "reporter/write/writers.h"

/* Between the two looks at a live process: a few times what a thread takes from one lock to the next. */
#define LOOK_AGAIN_NS (50 * (long)NSEC_PER_MSEC)
/* A suppressions file larger than this is something else. */
#define RULES_MOST_BYTES (16 << 20)

static void *more_memory(size_t bytes)
{
	return calloc(1, bytes);
}

static void less_memory(void *memory, size_t bytes)
{
	(void)bytes;
	free(memory);
}

/* -- suppressions ---------------------------------------------------------- */

/* The whole file; owned by the caller; NULL after a message. */
static char *read_rules(const char *path, size_t *ret_bytes)
{
	struct stat stat;
	FILE *file = fopen(path, "re");
	const char *why = NULL;
	char *text = NULL;
	size_t used = 0, room = 0;
	if (!file || fstat(fileno(file), &stat) != 0)
		why = strerror(errno);
	else if (S_ISDIR(stat.st_mode))
		why = "it is a directory";
	while (!why && !feof(file)) {
		if (used == room) {
			char *grown =
			    room >= RULES_MOST_BYTES ? NULL : realloc(text, room = room ? room * 2 : 4096);
			if (!grown) {
				why = room >= RULES_MOST_BYTES ? "it is too large" : "no memory";
				break;
			}
			text = grown;
		}
		used += fread(text + used, 1, room - used, file);
		if (ferror(file))
			why = strerror(errno);
	}
	if (file)
		fclose(file);
	if (!why) {
		*ret_bytes = used;
		return text ? text : strdup("");
	}
	complain("cannot read the suppressions '%s': %s; check --suppressions", path, why);
	free(text);
	return NULL;
}

static int load_rules(struct renderer *renderer, const char *path)
{
	char message[512];
	struct text error = TEXT_OF(message);
	size_t bytes = 0;
	char *text = read_rules(path, &bytes);
	if (!text)
		return EXIT_USAGE;
	int bad = suppress_load(&renderer->rules, text, bytes, path, &error);
	free(text);
	if (bad == -ENOMEM)
		complain("no memory for the suppressions '%s'", path);
	else if (bad)
		complain("%s", message);
	return bad == -ENOMEM ? EXIT_FAILED : bad ? EXIT_USAGE : 0;
}

/* -- life ------------------------------------------------------------------ */

static bool wants_color(const struct args *args, const struct output *text)
{
	const char *no = getenv("NO_COLOR"), *terminal = getenv("TERM");
	if (args->color != COLOR_WHEN_AUTO)
		return args->color == COLOR_WHEN_ALWAYS;
	return !(no && *no) && !(terminal && strcmp(terminal, "dumb") == 0) && output_is_terminal(text);
}

int renderer_init(struct renderer *renderer, const struct args *args, int standard)
{
	*renderer = (struct renderer){
		.args = args,
		.rules_arena = { .more = more_memory, .less = less_memory },
		.arena = { .more = more_memory, .less = less_memory },
	};
	suppress_init(&renderer->rules, &renderer->rules_arena);
	int error = 0;
	for (size_t i = 0; i < args->suppression_count && !error; i++)
		error = load_rules(renderer, args->suppressions[i]);
	if (!error)
		error = output_init(&renderer->text, args->output, standard, args->has_trigger);
	if (!error && args->json) {
		error = output_init(&renderer->json, args->json, STDOUT_FILENO, args->has_trigger);
		renderer->has_json = true;
	}
	if (!error && args->gen_suppressions) {
		/* A bad name is told before the run, not after it. */
		struct output probe;
		error = output_init(&probe, args->gen_suppressions, STDOUT_FILENO, false);
		output_release(&probe);
	}
	if (!error && !(renderer->symbolizer = symbolizer_open())) {
		complain("no memory for symbols");
		error = EXIT_FAILED;
	}
	renderer->color = wants_color(args, &renderer->text);
	if (error)
		renderer_end(renderer);
	return error;
}

static int by_text(const void *left, const void *right)
{
	return strcmp(*(char *const *)left, *(char *const *)right);
}

static void write_generated(struct renderer *renderer)
{
	static const struct rec_header nobody;
	const struct view none = { .header = &nobody };
	struct output file;
	if (output_init(&file, renderer->args->gen_suppressions, STDOUT_FILENO, false) != 0) {
		renderer->failed = true;
		return;
	}
	if (renderer->generated_count)
		qsort(renderer->generated, renderer->generated_count, sizeof(char *), by_text);
	for (size_t i = 0; i < renderer->generated_count; i++) {
		if (i && strcmp(renderer->generated[i], renderer->generated[i - 1]) == 0)
			continue;
		file.sink.put(&file.sink, renderer->generated[i], strlen(renderer->generated[i]));
		file.sink.put(&file.sink, "\n", 1);
	}
	renderer->failed |= output_flush(&file, &none) != 0;
	output_release(&file);
}

static void complain_note(const char *path, const char *note, void *data)
{
	(void)path;
	(void)data;
	complain("%s", note);
}

void renderer_fold(struct renderer *renderer)
{
	const struct args *args = renderer->args;
	renderer->folding =
	    strcmp(args->format, "text") == 0 && args->verbosity <= 0 && !renderer->text.per_process;
}

static void write_folds(struct renderer *renderer)
{
	static const struct rec_header nobody;
	const struct view none = { .header = &nobody };
	if (folds_write(&renderer->folds, &renderer->text.sink))
		renderer->failed |= output_flush(&renderer->text, &none) != 0;
}

int renderer_end(struct renderer *renderer)
{
	if (renderer->folding)
		write_folds(renderer);
	folds_release(&renderer->folds);
	if (renderer->symbolizer && renderer->args->gen_suppressions)
		write_generated(renderer);
	if (renderer->symbolizer && renderer->args->verbosity > 0) {
		const struct suppression *unused = NULL;
		while ((unused = suppress_unused(&renderer->rules, unused)))
			complain("%s:%u: the suppression '%s' matched nothing", unused->file, unused->line,
				 unused->written);
		symbolizer_notes(renderer->symbolizer, complain_note, NULL);
	}
	int code = renderer->failed ? EXIT_FAILED : renderer->counts ? renderer->args->error_exitcode : 0;
	for (size_t i = 0; i < renderer->generated_count; i++)
		free(renderer->generated[i]);
	free(renderer->generated);
	output_release(&renderer->text);
	if (renderer->has_json)
		output_release(&renderer->json);
	symbolizer_close(renderer->symbolizer);
	arena_release(&renderer->arena);
	arena_release(&renderer->rules_arena);
	renderer->symbolizer = NULL;
	renderer->generated = NULL;
	renderer->generated_count = 0;
	return code;
}

/* -- a report -------------------------------------------------------------- */

/* Moves the findings that nobody wants to hear of out of the collection. Return: how many there were. */
static uint32_t suppress_findings(struct renderer *renderer, struct collection *collection,
				  const struct view *view)
{
	uint32_t kept = 0;
	for (uint32_t i = 0; i < collection->count; i++)
		if (!suppress_match(&renderer->rules, collection->found[i], view, renderer->symbolizer,
				    &renderer->arena))
			collection->found[kept++] = collection->found[i];
	uint32_t suppressed = collection->count - kept;
	collection->count = kept;
	return suppressed;
}

static void take_account(struct renderer *renderer, const struct collection *collection)
{
	const struct args *args = renderer->args;
	for (uint32_t i = 0; i < collection->count; i++) {
		const struct finding *finding = collection->found[i];
		bool named =
		    finding->kind < FINDING_COUNT && (args->fail_kinds & (UINT64_C(1) << finding->kind));
		renderer->counts |= named || finding->severity >= (unsigned)args->fail_severity;
	}
}

static void generate(struct renderer *renderer, const struct report *report)
{
	struct names names;
	if (names_init(&names, report) != 0)
		return;
	for (uint32_t i = 0; i < report->found_count; i++) {
		char **more = realloc(renderer->generated, (renderer->generated_count + 1) * sizeof *more);
		if (!more)
			return;
		renderer->generated = more;
		more[renderer->generated_count] = strdup(finding_suppression(&names, report->found[i]));
		renderer->generated_count += more[renderer->generated_count] != NULL;
	}
}

/* Those whose story the text has told already are left out there, and what was asked for by somebody else. */
static uint32_t fresh_findings(const struct collection *collection, uint32_t since, enum trigger trigger,
			       struct arena *arena, const struct finding ***ret_fresh)
{
	uint32_t count = 0;
	*ret_fresh = arena_array(arena, collection->count + 1, sizeof **ret_fresh);
	for (uint32_t i = 0; *ret_fresh && i < collection->count; i++)
		if ((!since || collection->found[i]->number > since || !collection->found[i]->number) &&
		    !(trigger == TRIGGER_THRESHOLD && collection->found[i]->flags & FOUND_ON_REQUEST))
			(*ret_fresh)[count++] = collection->found[i];
	return count;
}

static int put_report(struct renderer *renderer, struct output *output, const struct writer *writer,
		      const struct report *report)
{
	writer->write(report, &output->sink);
	if (output_flush(output, report->view) == 0)
		return 0;
	renderer->failed = true;
	return EXIT_FAILED;
}

/*
 * What was found before `since` stands in the text already; the JSON of an end has all of it, since
 * whoever reads the last line wants the whole story.
 */
static int tell(struct renderer *renderer, struct report *report, struct collection *collection,
		uint32_t since, bool quiet, uint32_t *ret_count)
{
	const struct writer *writer = writer_find(renderer->args->format);
	int error = 0;
	report->symbolizer = renderer->symbolizer;
	report->arena = &renderer->arena;
	report->verbosity = renderer->args->verbosity;
	report->suppressed = suppress_findings(renderer, collection, report->view);
	take_account(renderer, collection);
	report->found = collection->found;
	report->found_count = collection->count;
	if (renderer->args->gen_suppressions)
		generate(renderer, report);
	if (renderer->has_json)
		error = put_report(renderer, &renderer->json, writer_find("json"), report);
	report->color = renderer->color;
	bool for_people = strcmp(writer->name, "text") == 0;
	if (for_people)
		report->found_count =
		    fresh_findings(collection, since, report->trigger, &renderer->arena, &report->found);
	if (ret_count)
		*ret_count = report->found_count;
	/* A program that reads reports counts on one for each process; a person has better things to do. */
	if (!report->found_count && quiet && for_people && renderer->args->verbosity <= 0)
		return error;
	if (renderer->folding && report->trigger == TRIGGER_EXIT && report->found_count && !since &&
	    folds_hold(&renderer->folds, report)) {
		if (ret_count)
			*ret_count = 0;
		return error;
	}
	int text_error = put_report(renderer, &renderer->text, writer, report);
	return error ? error : text_error;
}

static void take_snapshot(const struct account *account, struct arena *arena, struct snapshot *ret_snapshot)
{
	const struct view *view = &account->reader->view;
	nsec_t now = account->pid ? process_now() : process_last_moment(view->header);
	snapshot_take(view, now, arena, ret_snapshot);
	if (account->pid > 0)
		target_look(ret_snapshot, account->pid);
}

/* Two looks at a live process. Return: 0, or the reader's error after a message. */
static int look_twice(struct renderer *renderer, const struct account *account, struct collection *collection,
		      struct snapshot *ret_snapshot)
{
	const struct timespec moment = { .tv_nsec = LOOK_AGAIN_NS };
	struct finding_list before;
	take_snapshot(account, &renderer->arena, ret_snapshot);
	collect_look(&before, ret_snapshot, &renderer->arena);
	nanosleep(&moment, NULL);
	int error = reader_refresh(account->reader);
	if (error) {
		complain("%s", account->reader->error);
		return error;
	}
	take_snapshot(account, &renderer->arena, ret_snapshot);
	collect_log(collection, &account->reader->view, 0);
	collect_live(collection, ret_snapshot, &before);
	if (account->pid > 0)
		target_complete(ret_snapshot, account->reader, account->pid);
	return 0;
}

/* Of the log, what searches for lost memory have found and is so still. */
static void keep_lost(struct collection *collection)
{
	uint32_t kept = 0;
	for (uint32_t i = 0; i < collection->count; i++) {
		const struct finding *finding = collection->found[i];
		if (finding_kind_is_sought(finding->kind) && !(finding->flags & (FOUND_OVER | FOUND_AT_EXIT)))
			collection->found[kept++] = finding;
	}
	collection->count = kept;
}

int renderer_tell(struct renderer *renderer, const struct account *account, uint32_t *ret_newest,
		  uint32_t *ret_count)
{
	struct collection collection = { .arena = &renderer->arena };
	struct snapshot snapshot;
	const struct rec_header *header = account->reader->view.header;
	unsigned marks = atomic_load_explicit(&header->flags, memory_order_relaxed);
	bool ended = account->trigger == TRIGGER_EXIT || account->trigger == TRIGGER_CRASH;
	if (account->why) {
		take_snapshot(account, &renderer->arena, &snapshot);
	} else if (account->scan) {
		take_snapshot(account, &renderer->arena, &snapshot);
		collect_log(&collection, &account->reader->view, 0);
		keep_lost(&collection);
	} else if (account->pid && account->trigger == TRIGGER_REQUEST) {
		if (look_twice(renderer, account, &collection, &snapshot) != 0) {
			arena_reset(&renderer->arena);
			return EXIT_FAILED;
		}
	} else {
		take_snapshot(account, &renderer->arena, &snapshot);
		collect_log(&collection, &account->reader->view, ended ? 0 : account->since);
		if (!account->pid && !(marks & REC_FINAL_DONE))
			collect_dead(&collection, &snapshot);
	}
	if (ret_newest)
		*ret_newest = MAX_OF(collection.newest, account->since);
	struct report report = {
		.view = &account->reader->view,
		.snapshot = &snapshot,
		.trigger = account->trigger,
		.has_exit_code = account->has_exit_code,
		.exit_code = account->exit_code,
		.signal = account->signal,
		.all_threads = account->all_threads,
		.scan = account->scan ? &header->scan : NULL,
		.why = account->why,
	};
	int error = tell(renderer, &report, &collection, account->since, account->quiet_end, ret_count);
	arena_reset(&renderer->arena);
	return error;
}

int renderer_tell_view(struct renderer *renderer, const struct snapshot *snapshot,
		       const struct finding_list *found, bool all_threads)
{
	struct collection collection = { .arena = &renderer->arena };
	for (uint32_t i = 0; i < found->count; i++)
		collect_add(&collection, found->found[i]);
	struct report report = {
		.view = snapshot->view,
		.snapshot = snapshot,
		.trigger = TRIGGER_REQUEST,
		.all_threads = all_threads,
	};
	int error = tell(renderer, &report, &collection, 0, false, NULL);
	arena_reset(&renderer->arena);
	return error;
}
