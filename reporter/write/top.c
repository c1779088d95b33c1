#include <errno.h>

#include "base/sort.h"
#include "reporter/mapped.h"
#include "reporter/write/text_report.h"
#include "reporter/write/writers.h"

/*
 * A screen of `whoholds top`: a head, then the most telling lines of five tables. What is the same for many
 * threads is one line.
 */

#define LINES_MOST 10u /* of each table */

/* Holds or waits that a line stands for. */
struct line {
	stack_id stack;
	unsigned kind, op;
	uint64_t handle; /* of a wait: what it is for; holds count by place alone */
	text_id name;
	uint64_t count, amount;
	nsec_t since;     /* of the oldest */
	thread_id thread; /* of the oldest */
};

struct lines {
	struct line *at;
	uint32_t count;
};

static bool same_line(const struct line *a, const struct line *b)
{
	return a->stack == b->stack && a->kind == b->kind && a->op == b->op && a->handle == b->handle;
}

/* By what makes lines the same, then the oldest first. */
static bool by_identity(const void *a, const void *b, void *data)
{
	(void)data;
	const struct line *left = a, *right = b;
	if (left->stack != right->stack)
		return left->stack < right->stack;
	if (left->kind != right->kind)
		return left->kind < right->kind;
	if (left->op != right->op)
		return left->op < right->op;
	if (left->handle != right->handle)
		return left->handle < right->handle;
	return left->since < right->since;
}

/* The largest amount first, then the most, then the oldest. */
static bool by_weight(const void *a, const void *b, void *data)
{
	(void)data;
	const struct line *left = a, *right = b;
	if (left->amount != right->amount)
		return left->amount > right->amount;
	if (left->count != right->count)
		return left->count > right->count;
	if (left->since != right->since)
		return left->since < right->since;
	return left->stack < right->stack;
}

static void fold(struct lines *lines)
{
	uint32_t kept = 0;
	if (!lines->count)
		return;
	sort_items(lines->at, lines->count, sizeof(*lines->at), by_identity, NULL);
	for (uint32_t i = 0; i < lines->count; i++) {
		if (kept && same_line(&lines->at[kept - 1], &lines->at[i]))
			lines->at[kept - 1].count++;
		else
			lines->at[kept++] = lines->at[i];
	}
	lines->count = kept;
	sort_items(lines->at, lines->count, sizeof(*lines->at), by_weight, NULL);
}

static struct lines lines_with_room(struct text_report *text, size_t room)
{
	return (struct lines){ .at = arena_array(text->names.arena, room + 1, sizeof(struct line)) };
}

static const char *age_text(struct text_report *text, nsec_t since)
{
	nsec_t now = text->report->snapshot->now;
	return since && now > since ? names_duration(&text->names, now - since) : "";
}

/* A line of a table: three columns, and the place. */
static void put_row(struct text_report *text, const char *number, const char *what, const char *age,
		    stack_id stack)
{
	struct out *out = &text->out;
	size_t width = utf8_width(number);
	out_indent(out, width < 12 ? 12 - width : 0);
	out_put(out, number);
	out_put(out, "  ");
	out_put(out, what);
	out_pad(out, 56);
	out_put(out, age);
	out_pad(out, 68);
	out_put(out, text_place(text, stack));
	out_newline(out);
}

static void put_title(struct text_report *text, const char *title, uint32_t lines)
{
	struct out *out = &text->out;
	out_newline(out);
	out_color(out, COLOR_STRONG);
	out_put(out, title);
	out_color(out, COLOR_PLAIN);
	if (lines > LINES_MOST)
		out_format(out, " (%u more places)", lines - LINES_MOST);
	out_newline(out);
}

static void put_waits(struct text_report *text)
{
	const struct snapshot *snapshot = text->report->snapshot;
	struct names *names = &text->names;
	struct lines lines = lines_with_room(text, snapshot->thread_count);
	for (uint32_t i = 0; lines.at && i < snapshot->thread_count; i++) {
		const struct snap_thread *thread = &snapshot->threads[i];
		if (thread->waiting)
			lines.at[lines.count++] = (struct line){ .stack = thread->wait.stack,
								 .kind = thread->wait.kind,
								 .op = thread->wait.op,
								 .handle = thread->wait.handle,
								 .count = 1,
								 .since = thread->wait.since,
								 .thread = thread->id };
	}
	fold(&lines);
	if (!lines.count)
		return;
	put_title(text, "threads that wait", lines.count);
	for (uint32_t i = 0; i < MIN_OF(lines.count, LINES_MOST); i++) {
		const struct line *line = &lines.at[i];
		struct object *object = object_get(names, line->kind, line->handle, 0, 0);
		const char *what = op_name(line->op);
		if (object)
			what = names_format(names, "%s: %s", what, object_text(names, object, OBJECT_BRIEF));
		if (object && object->holders && object->kind != KIND_THREAD)
			what = names_format(names, "%s, held by %s", what,
					    names_thread(names, object->holders->thread, NULL));
		put_row(text, names_count(names, line->count), what, age_text(text, line->since),
			line->stack);
	}
}

static void put_holds(struct text_report *text)
{
	const struct snapshot *snapshot = text->report->snapshot;
	struct names *names = &text->names;
	size_t room = snapshot->resource_count;
	for (uint32_t i = 0; i < snapshot->thread_count; i++)
		room += snapshot->threads[i].hold_count;
	struct lines lines = lines_with_room(text, room);
	if (!lines.at)
		return;
	for (uint32_t i = 0; i < snapshot->thread_count; i++)
		for (uint32_t h = 0; h < snapshot->threads[i].hold_count; h++) {
			const struct rec_hold *hold = &snapshot->threads[i].holds[h];
			if (hold->state == HOLD_LIVE)
				lines.at[lines.count++] = (struct line){ .stack = hold->stack,
									 .kind = hold->kind,
									 .name = hold->name,
									 .count = 1,
									 .since = hold->since,
									 .thread = hold->owner };
		}
	for (uint32_t i = 0; i < snapshot->resource_count; i++) {
		const struct rec_hold *hold = &snapshot->resources[i];
		if (hold->kind == KIND_MAPPING)
			continue;
		lines.at[lines.count++] = (struct line){ .stack = hold->stack,
							 .kind = hold->kind,
							 .name = hold->name,
							 .count = 1,
							 .since = hold->since,
							 .thread = hold->owner };
	}
	fold(&lines);
	if (!lines.count)
		return;
	put_title(text, "what is held and open, by place, with the age of the oldest", lines.count);
	for (uint32_t i = 0; i < MIN_OF(lines.count, LINES_MOST); i++) {
		const struct line *line = &lines.at[i];
		const char *name = view_text(text->report->view, line->name);
		const char *what = kind_noun(line->kind, line->count);
		if (*name && line->count == 1)
			what = names_format(names, "%s \"%s\"", what, name);
		what = names_format(names, "%s of %s", what, names_thread(names, line->thread, NULL));
		if (line->count > 1)
			what = names_format(names, "%s and perhaps others", what);
		put_row(text, names_count(names, line->count), what, age_text(text, line->since),
			line->stack);
	}
}

static void put_iterations(struct text_report *text)
{
	struct names *names = &text->names;
	const struct view *view = text->report->view;
	const struct rec_iteration *iteration;
	uint32_t count = 0;
	while (view_iteration(view, count))
		count++;
	struct lines lines = lines_with_room(text, count);
	for (uint32_t i = 0; lines.at && (iteration = view_iteration(view, i)); i++)
		lines.at[lines.count++] = (struct line){ .stack = iteration->stack,
							 .kind = iteration->kind,
							 .handle = i,
							 .count = iteration->count,
							 .amount = iteration->total };
	if (!lines.count)
		return;
	sort_items(lines.at, lines.count, sizeof(*lines.at), by_weight, NULL);
	put_title(text, "iterations that are over, by place, those that took most time in all first",
		  lines.count);
	for (uint32_t i = 0; i < MIN_OF(lines.count, LINES_MOST); i++) {
		iteration = view_iteration(view, (uint32_t)lines.at[i].handle);
		put_row(text, names_count(names, lines.at[i].count),
			names_format(names, "P50 %s, P99 %s, longest",
				     names_duration(names, view_iteration_percentile(iteration, 50)),
				     names_duration(names, view_iteration_percentile(iteration, 99))),
			names_duration(names, iteration->longest), lines.at[i].stack);
	}
}

static void put_sites(struct text_report *text)
{
	struct names *names = &text->names;
	const struct view *view = text->report->view;
	uint32_t sites = view_sites(view);
	struct lines lines = lines_with_room(text, sites);
	for (uint32_t i = 1; lines.at && i < sites; i++) {
		const struct rec_site *site = view_site(view, i);
		struct site_counts counts = view_site_counts(view, i);
		if (site && counts.live_bytes)
			lines.at[lines.count++] = (struct line){ .stack = site->stack,
								 .count = counts.live_blocks,
								 .amount = counts.live_bytes };
	}
	if (!lines.count)
		return;
	sort_items(lines.at, lines.count, sizeof(*lines.at), by_weight, NULL);
	put_title(text, "live memory, by the place that allocated it", lines.count);
	for (uint32_t i = 0; i < MIN_OF(lines.count, LINES_MOST); i++)
		put_row(text, names_size(names, lines.at[i].amount),
			names_format(names, "in %s block%s", names_count(names, lines.at[i].count),
				     lines.at[i].count == 1 ? "" : "s"),
			"", lines.at[i].stack);
}

static void put_mappings(struct text_report *text)
{
	struct names *names = &text->names;
	struct mapped_list list = mapped_by_place(text->report->snapshot, 0, names->arena);
	if (!list.count)
		return;
	put_title(text, "what the program has mapped itself, by place, with the age of the oldest",
		  list.count);
	for (uint32_t i = 0; i < MIN_OF(list.count, LINES_MOST); i++)
		put_row(text, names_size(names, list.at[i].bytes),
			names_format(names, "in %s", kind_many(names, KIND_MAPPING, list.at[i].count, 0)),
			age_text(text, list.at[i].since), list.at[i].stack);
}

static void put_head(struct text_report *text)
{
	struct names *names = &text->names;
	struct out *out = &text->out;
	const struct snapshot *snapshot = text->report->snapshot;
	const struct rec_header *header = text->report->view->header;
	uint32_t blocked = 0;
	for (uint32_t i = 0; i < snapshot->thread_count; i++)
		blocked += snapshot->threads[i].waiting;
	out_color(out, COLOR_STRONG);
	out_format(out, "%s (pid %d)", *names->program ? names->program : "?", header->pid);
	out_color(out, COLOR_PLAIN);
	out_format(out, ", up %s: %u thread%s, %u blocked; heap %s in %s blocks; %s finding%s so far",
		   names_duration(names, snapshot->now > header->started_mono
					     ? snapshot->now - header->started_mono
					     : 0),
		   snapshot->thread_count, snapshot->thread_count == 1 ? "" : "s", blocked,
		   names_size(names, snapshot->live_bytes), names_count(names, snapshot->live_blocks),
		   names_count(names, header->alerts), header->alerts == 1 ? "" : "s");
	out_newline(out);
}

int write_top(const struct report *report, struct sink *sink)
{
	struct text_report *text = arena_alloc(report->arena, sizeof(*text));
	if (!text)
		return -ENOMEM;
	text->report = report;
	int error = out_init(&text->out, sink, report->arena, report->color);
	if (!error)
		error = names_init(&text->names, report);
	if (!error)
		error = accounts_make(&text->names, &text->accounts);
	if (error)
		return error;
	put_head(text);
	put_waits(text);
	put_holds(text);
	put_iterations(text);
	put_sites(text);
	put_mappings(text);
	return out_finish(&text->out);
}
