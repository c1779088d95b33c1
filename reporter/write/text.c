#include "reporter/write/writers.h"

#include <errno.h>
#include <string.h>

#include "reporter/write/text_report.h"

/* -- head and end ----------------------------------------------------------- */

static const char *counted(struct names *names, const char *list, uint64_t count, const char *noun)
{
	if (!count)
		return list;
	return names_format(names, "%s%s%s %s%s", list, *list ? ", " : "", names_count(names, count), noun,
			    count == 1 || strcmp(noun, "info") == 0 ? "" : "s");
}

/* `2 errors, 1 warning`; "nothing found". */
static const char *verdict(struct text_report *text)
{
	const struct accounts *accounts = &text->accounts;
	struct names *names = &text->names;
	const char *list = counted(names, "", accounts->errors, "error");
	list = counted(names, list, accounts->warnings, "warning");
	list = counted(names, list, accounts->infos, "info");
	if (!*list)
		list = "nothing found";
	if (accounts->resolved)
		list = names_format(names, "%s (%s resolved)", list, names_count(names, accounts->resolved));
	if (text->report->suppressed)
		list = names_format(names, "%s, %s suppressed", list,
				    names_count(names, text->report->suppressed));
	return list;
}

static const char *signal_text(struct names *names, int number)
{
	static const char *const known[] = {
		[1] = "SIGHUP",   [2] = "SIGINT",   [3] = "SIGQUIT",  [4] = "SIGILL",   [5] = "SIGTRAP",
		[6] = "SIGABRT",  [7] = "SIGBUS",   [8] = "SIGFPE",   [9] = "SIGKILL",  [10] = "SIGUSR1",
		[11] = "SIGSEGV", [12] = "SIGUSR2", [13] = "SIGPIPE", [14] = "SIGALRM", [15] = "SIGTERM",
	};
	unsigned index = (unsigned)number;
	if (index < COUNT_OF(known) && known[index])
		return known[index];
	return names_format(names, "signal %d", number);
}

/* `; heap 3 MiB in 1,234 blocks, peak 5 MiB; 6 threads`. */
static const char *totals(struct text_report *text)
{
	struct names *names = &text->names;
	const struct snapshot *snapshot = text->report->snapshot;
	const char *list = "";
	if (snapshot->total_blocks)
		list = names_format(
		    names, "; heap %s in %s block%s, peak %s", names_size(names, snapshot->live_bytes),
		    names_count(names, snapshot->live_blocks), snapshot->live_blocks == 1 ? "" : "s",
		    names_size(names, snapshot->peak_bytes));
	return names_format(names, "%s; %u thread%s", list, snapshot->thread_count,
			    snapshot->thread_count == 1 ? "" : "s");
}

static void put_head(struct text_report *text, bool with_totals)
{
	struct names *names = &text->names;
	struct out *out = &text->out;
	const struct rec_header *header = text->report->view->header;
	nsec_t until = text->report->view->live || !header->ended_mono ? text->report->snapshot->now
								       : header->ended_mono;
	out_format(out, "whoholds: %s (pid %d): ", *names->program ? names->program : "?", header->pid);
	if (text->report->signal)
		out_format(out, "killed by %s, ", signal_text(names, text->report->signal));
	if (report_reason(text->report))
		out_format(out, "asked for (%s), ", report_reason(text->report));
	out_put(out, verdict(text));
	if (until > header->started_mono)
		out_format(out, " after %s", names_duration(names, until - header->started_mono));
	if (with_totals)
		out_put(out, totals(text));
	out_newline(out);
}

/* `searched 12 MiB in 34,567 blocks in 0.42 s (CPU time 30 ms); held still for 0.21 ms, 0.18 ms of it by fork`. */
static void put_scan(struct text_report *text)
{
	struct names *names = &text->names;
	const struct rec_scan *scan = text->report->scan;
	text_line(text, 0,
		  names_format(names,
			       "searched %s in %s block%s in %s, at a low priority (%s of CPU time, %u "
			       "image%s, %s of memory); the program "
			       "was held still for %s, %s of it in fork",
			       names_size(names, scan->bytes), names_count(names, scan->blocks),
			       scan->blocks == 1 ? "" : "s", names_duration(names, scan->took),
			       names_duration(names, scan->cpu), scan->images, scan->images == 1 ? "" : "s",
			       names_size(names, scan->memory), names_duration(names, scan->pause),
			       names_duration(names, scan->fork)),
		  0);
}

/* What was given up, once. */
static void put_notes(struct text_report *text)
{
	struct names *names = &text->names;
	const struct rec_header *header = text->report->view->header;
	uint32_t degraded = header->degraded;
	static const struct {
		uint32_t bit;
		const char *sentence;
	} notes[] = {
#define DEGRADED(id, name, sentence) { (uint32_t)REC_##id, sentence },
#include "reporter/write/degraded.def"
	};
	for (size_t i = 0; i < COUNT_OF(notes); i++)
		if (degraded & notes[i].bit)
			text_line(text, 0, names_format(names, "note: %s", notes[i].sentence), 0);
	if ((header->flags & REC_ALLOC_SAMPLED) && !(degraded & (REC_MEMORY_LIMIT | REC_OVERHEAD_LIMIT)))
		text_line(text, 0,
			  names_format(names,
				       "note: one allocation in %s was recorded: amounts are estimates",
				       names_size(names, header->sample_bytes)),
			  0);
	if (text->verbose && header->dropped_events)
		text_line(text, 0,
			  names_format(names, "note: %s events came where nothing may be recorded",
				       names_count(names, header->dropped_events)),
			  0);
	if (text->verbose && header->unbound)
		text_line(text, 0,
			  names_format(names,
				       "note: no module calls %s by name: not used, inlined, or called "
				       "within its own library",
				       view_text(text->report->view, header->unbound)),
			  0);
	if (text->verbose && header->truncated_stacks)
		text_line(text, 0,
			  names_format(names, "note: %s stacks lack their outer end (option depth)",
				       names_count(names, header->truncated_stacks)),
			  0);
	if (header->verify_stacks)
		text_line(
		    text, 0,
		    names_format(
			names,
			"note: %s stacks were compared with libunwind's: %s differed, %s were cut short "
			"for want of unwind tables",
			names_count(names, header->stacks_compared),
			names_count(names, header->stacks_mismatched),
			names_count(names, header->stacks_lost)),
		    0);
}

/* `deadlock 1, leak 3`. */
static const char *kinds_text(struct text_report *text)
{
	const char *list = "";
	for (unsigned kind = 0; kind < FINDING_COUNT; kind++)
		if (text->accounts.by_kind[kind])
			list = names_format(&text->names, "%s%s%s %u", list, *list ? ", " : "",
					    finding_kind_name(kind), text->accounts.by_kind[kind]);
	return list;
}

static void put_summary(struct text_report *text)
{
	struct names *names = &text->names;
	const char *kinds = kinds_text(text);
	const char *list =
	    names_format(names, "%s%s%s%s", verdict(text), *kinds ? ": " : "", kinds, totals(text));
	if (text->accounts.count)
		list = names_format(names, "%s; `whoholds help %s` says what to do", list,
				    finding_kind_name(text->accounts.all[0].finding->kind));
	text_line(text, 0, names_format(names, "whoholds: %s", list), 0);
}

/* -- findings --------------------------------------------------------------- */

/* Told in one go with another: the same kind of thing in the same places, of other threads. */
static bool same_telling(const struct account *a, const struct account *b)
{
	uint32_t count = finding_items(a->finding);
	if (a->finding->kind != b->finding->kind || !a->over != !b->over || a->severity != b->severity ||
	    !count || count != finding_items(b->finding))
		return false;
	for (uint32_t i = 0; i < count; i++) {
		const struct finding_item *one = &a->finding->items[i], *other = &b->finding->items[i];
		if (one->role != other->role || one->stack != other->stack || one->op != other->op)
			return false;
	}
	return true;
}

static void put_headline(struct text_report *text, const struct account *account, uint32_t number)
{
	static const enum color colors[] = { COLOR_INFO, COLOR_WARNING, COLOR_ERROR };
	struct names *names = &text->names;
	struct out *out = &text->out;
	out_format(out, "[%u] ", number);
	out_color(out, colors[account->severity]);
	out_put(out, severity_name(account->severity));
	out_color(out, COLOR_PLAIN);
	out_format(out, " %s", finding_kind_name(account->finding->kind));
	if (account->over)
		out_format(out, ", resolved after %s", names_duration(names, account_age(account)));
	out_put(out, ": ");
	out_color(out, COLOR_STRONG);
	out_put(out, account->title);
	out_color(out, COLOR_PLAIN);
	out_newline(out);
}

/* The accounts behind `index` that say the same, as one line; they are marked as told. */
static void put_others(struct text_report *text, uint32_t index, bool *told)
{
	struct names *names = &text->names;
	const struct accounts *accounts = &text->accounts;
	const struct account *account = &accounts->all[index];
	const char *list = NULL;
	uint32_t count = 0, at = 0;
	for (uint32_t i = index + 1; i < accounts->count; i++)
		count += !told[i] && same_telling(account, &accounts->all[i]);
	for (uint32_t i = index + 1; i < accounts->count && at < count; i++) {
		if (told[i] || !same_telling(account, &accounts->all[i]))
			continue;
		told[i] = true;
		const struct finding *finding = accounts->all[i].finding;
		thread_id thread = finding->thread ? finding->thread : finding->items[0].thread;
		list = text_list_add(
		    text, list,
		    names_thread(names, thread,
				 finding->items[0].thread == thread ? finding->items[0].thread_name : NULL),
		    at++, count);
	}
	if (count)
		text_line(text, TEXT_INDENT, names_format(names, "and %u more like it: %s", count, list), 0);
}

static void put_findings(struct text_report *text)
{
	const struct accounts *accounts = &text->accounts;
	bool quiet = text->report->verbosity < 0;
	bool *told = arena_array(text->names.arena, (size_t)accounts->count + 1, sizeof(*told));
	uint32_t number = 0;
	for (uint32_t i = 0; told && i < accounts->count; i++) {
		const struct account *account = &accounts->all[i];
		if (told[i])
			continue;
		if (!quiet)
			out_newline(&text->out);
		put_headline(text, account, ++number);
		/* That it is over is news of one line: the rest was said when it began. */
		bool brief = quiet || (account->over && text->report->trigger == TRIGGER_THRESHOLD);
		if (!brief)
			text_finding(text, account);
		put_others(text, i, told);
	}
	if (accounts->count && !quiet)
		out_newline(&text->out);
}

/* -- the report ------------------------------------------------------------- */

int write_text(const struct report *report, struct sink *sink)
{
	struct text_report *text = arena_alloc(report->arena, sizeof(*text));
	bool nothing = !report->found_count && !report->all_threads && report->verbosity < 1;
	bool asked = report->trigger == TRIGGER_REQUEST;
	if (report->why)
		return text_why(report, sink);
	if (nothing && !asked)
		return 0;
	if (!text)
		return -ENOMEM;
	text->report = report;
	text->verbose = report->verbosity > 0;
	int error = out_init(&text->out, sink, report->arena, report->color);
	if (!error)
		error = names_init(&text->names, report);
	if (!error)
		error = accounts_make(&text->names, &text->accounts);
	if (error)
		return error;
	bool summed_up = report->trigger != TRIGGER_THRESHOLD && report->verbosity >= 0 &&
			 (report->found_count || report->all_threads);
	put_head(text, !report->found_count && !report->all_threads && report->verbosity > 0);
	put_findings(text);
	if (report->all_threads) {
		if (!text->accounts.count)
			out_newline(&text->out);
		text_threads(text);
		text_open(text);
		text_mappings(text);
	}
	if (report->scan && report->verbosity >= 0)
		put_scan(text);
	if ((asked && !report->scan) || report->all_threads || text->verbose)
		text_locks(text);
	put_notes(text);
	if (summed_up)
		put_summary(text);
	else if (report->verbosity >= 0 && text->accounts.count > text->accounts.resolved)
		text_line(text, 0,
			  names_format(&text->names, "whoholds: `whoholds help %s` says what to do",
				       finding_kind_name(text->accounts.all[0].finding->kind)),
			  0);
	return out_finish(&text->out);
}
