#include <errno.h>

#include "reporter/write/text_report.h"

/*
 * Why something is alive: what was asked about, the way from a root to it, a line a word, and what would go
 * if it went.
 */

static const char *blocks_text(struct names *names, uint64_t bytes, uint64_t blocks)
{
	return names_format(names, "%s in %s block%s", names_size(names, bytes), names_count(names, blocks),
			    blocks == 1 ? "" : "s");
}

/* `48 bytes at 0x55d0, allocated in node_new map.c:12`. */
static const char *block_text(struct text_report *text, uint64_t block, uint64_t bytes, stack_id stack)
{
	struct names *names = &text->names;
	const char *place = text_place(text, stack);
	return names_format(names, "%s at 0x%lx%s%s", names_size(names, bytes), block,
			    *place ? ", allocated in " : "", place);
}

static const char *frame_place(struct text_report *text, const struct rec_why_step *step)
{
	struct names *names = &text->names;
	const struct rec_stack *record = view_stack(text->report->view, step->stack);
	/* Inlined frames are between those of the record: what is counted are return addresses. */
	const struct named_stack *stack = names_stack(names, step->stack);
	uint32_t number = 0;
	if (!record || !stack->count || step->frame > record->count)
		return "";
	/* Further in than the innermost frame that is known: saved there, or a local of a library's. */
	if (!step->frame)
		return names_format(names, ", in what %s calls",
				    names_frame_function(names, &stack->frames[0]));
	for (size_t i = 0; i < stack->count; i++) {
		number += !stack->frames[i].inlined;
		if (number == step->frame)
			return names_format(names, ", in the frame of %s",
					    names_frame_function(names, &stack->frames[i]));
	}
	return "";
}

static const char *thread_text(struct text_report *text, thread_id thread)
{
	return thread ? names_thread(&text->names, thread, NULL) : "a thread";
}

static const char *root_text(struct text_report *text, const struct rec_why_step *step)
{
	struct names *names = &text->names;
	const struct report *report = text->report;
	const char *name = NULL;
	switch (step->root) {
	case ROOT_DATA:
		name = report->symbolizer->data(report->symbolizer, report->view, step->place, report->arena);
		return names_format(names, "the variable %s",
				    name ? name : names_format(names, "at 0x%lx", step->place));
	case ROOT_STACK:
		return names_format(names, "the stack of %s%s, at 0x%lx", thread_text(text, step->thread),
				    frame_place(text, step), step->place);
	case ROOT_TLS:
		return names_format(names, "a thread-local variable of %s, at 0x%lx",
				    thread_text(text, step->thread), step->place);
	case ROOT_SPECIFIC:
		return names_format(names, "a thread-specific value (pthread_setspecific) of %s",
				    thread_text(text, step->thread));
	case ROOT_REGISTER:
		return step->thread ? names_format(names, "a register of %s", thread_text(text, step->thread))
				    : "a register, or what the kernel keeps (epoll, a thread's argument)";
	case ROOT_LOADER:
		return names_format(names, "the loader, which made it for itself: %s",
				    block_text(text, step->block, step->bytes, step->stack));
	case ROOT_MAPPING:
		return names_format(names, "memory that was mapped, at 0x%lx", step->place);
	default:
		return names_format(names, "0x%lx", step->place);
	}
}

/* Blocks that are alike are told of once where there are more than this many in a row. */
#define ALIKE_MOST 3u

static bool is_alike(const struct rec_why_step *a, const struct rec_why_step *b)
{
	return a->root == ROOT_NONE && b->root == ROOT_NONE && a->bytes == b->bytes && a->stack == b->stack;
}

static void put_step(struct text_report *text, const struct rec_why_step *step)
{
	struct names *names = &text->names;
	const char *label = root_text(text, step);
	if (step->root == ROOT_NONE)
		label = names_format(names, "%s, in it at +%lu",
				     block_text(text, step->block, step->bytes, step->stack),
				     step->place ? step->place - step->block : 0);
	text_line(text, TEXT_INDENT + 4, label, 0);
}

static void put_more(struct text_report *text, uint64_t count)
{
	if (count)
		text_line(text, TEXT_INDENT + 4,
			  names_format(&text->names, "... %s more like it, each of which leads to the next",
				       names_count(&text->names, count)),
			  0);
}

static void put_path(struct text_report *text, const struct rec_why_path *path)
{
	uint32_t count = MIN_OF(path->step_count, REC_WHY_STEPS);
	if (path->lost) {
		text_line(text, TEXT_INDENT, "nothing leads to it: it is lost", 0);
		return;
	}
	text_line(text, TEXT_INDENT, "it is kept alive by", 0);
	for (uint32_t i = 0, end; i < count; i = end) {
		uint64_t more = 0;
		for (end = i + 1; end < count && is_alike(&path->steps[i], &path->steps[end]); end++)
			;
		/* What the answer had no room for lies in the middle of such a row, or between two others. */
		bool skips = path->skipped_at > i && path->skipped_at < end;
		if (skips)
			more = path->length - path->step_count;
		put_step(text, &path->steps[i]);
		if (end - i > ALIKE_MOST || skips) {
			put_more(text, more + (end - i) - 2);
			put_step(text, &path->steps[end - 1]);
		} else {
			for (uint32_t j = i + 1; j < end; j++)
				put_step(text, &path->steps[j]);
		}
		if (path->skipped_at == end && end < count)
			text_line(text, TEXT_INDENT + 4,
				  names_format(&text->names,
					       "... %s more blocks, each of which leads to the next",
					       names_count(&text->names, path->length - path->step_count)),
				  0);
	}
}

static void put_block(struct text_report *text, const struct rec_why *why, const struct rec_why_path *path)
{
	struct names *names = &text->names;
	bool of_site = why->what == WHY_OF_SITE;
	out_newline(&text->out);
	const char *inside = !of_site && why->value != path->block
				 ? names_format(names, "0x%lx lies at +%lu in a block of", why->value,
						why->value - path->block)
				 : "a block of";
	out_color(&text->out, COLOR_STRONG);
	text_line(text, 0,
		  names_format(names, "%s %s at 0x%lx", inside, names_size(names, path->bytes), path->block),
		  0);
	out_color(&text->out, COLOR_PLAIN);
	if (!of_site) {
		text_line(text, TEXT_INDENT,
			  path->thread && snapshot_thread(text->report->snapshot, path->thread)
			      ? names_format(names, "allocated by %s in", thread_text(text, path->thread))
			      : "allocated in",
			  0);
		text_stack(text, path->stack, TEXT_INDENT + 4);
	}
	put_path(text, path);
	if (path->retained_blocks > 1)
		text_line(text, TEXT_INDENT,
			  names_format(names, "if it went, %s would go, itself included",
				       blocks_text(names, path->retained_bytes, path->retained_blocks)),
			  0);
	else if (path->retained_blocks)
		text_line(text, TEXT_INDENT, "if it went, nothing else would go with it", 0);
}

static void put_site(struct text_report *text, const struct rec_why *why)
{
	struct names *names = &text->names;
	out_newline(&text->out);
	out_color(&text->out, COLOR_STRONG);
	text_line(text, 0,
		  names_format(names, "%s live from", blocks_text(names, why->site_bytes, why->site_blocks)),
		  0);
	out_color(&text->out, COLOR_PLAIN);
	text_stack(text, (stack_id)why->value, TEXT_INDENT);
	if (why->retained_blocks)
		text_line(text, TEXT_INDENT,
			  names_format(names, "if they went, %s would go, themselves included",
				       blocks_text(names, why->retained_bytes, why->retained_blocks)),
			  0);
	if (why->site_blocks > why->path_count)
		text_line(text, TEXT_INDENT, "the largest of them:", 0);
}

int text_why(const struct report *report, struct sink *sink)
{
	const struct rec_why *why = report->why;
	struct text_report *text = arena_alloc(report->arena, sizeof(*text));
	if (!text)
		return -ENOMEM;
	text->report = report;
	text->verbose = report->verbosity > 0;
	int error = out_init(&text->out, sink, report->arena, report->color);
	if (!error)
		error = names_init(&text->names, report);
	if (error)
		return error;
	struct names *names = &text->names;
	text_line(text, 0,
		  names_format(names, "whoholds: %s (pid %d): why it is alive, of %s",
			       view_program(report->view), report->view->header->pid,
			       blocks_text(names, why->bytes, why->blocks)),
		  0);
	if (why->what == WHY_OF_SITE)
		put_site(text, why);
	for (uint32_t i = 0; i < MIN_OF(why->path_count, REC_WHY_PATHS); i++)
		put_block(text, why, &why->paths[i]);
	out_newline(&text->out);
	if (why->degraded & REC_NO_PTRACE)
		text_line(text, 0,
			  "note: threads could not be stopped: registers are unknown, and all of each stack "
			  "counted",
			  0);
	if (report->verbosity >= 0)
		text_line(text, 0,
			  names_format(names, "whoholds: looked at an image for %s; held still for %s",
				       names_duration(names, why->took), names_duration(names, why->pause)),
			  0);
	return out_finish(&text->out);
}
