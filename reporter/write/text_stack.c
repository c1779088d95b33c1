#include "reporter/write/text_report.h"

#include <string.h>

#define FRAMES_MAX 24u       /* of a stack that is not shown in full: more does not fit a terminal ... */
#define FRAMES_OUTER 4u      /* ... of these, so many of the outer end */
#define LIBRARY_FRAMES 3u    /* inside libraries that are shown */
#define FUNCTION_COLUMNS 44u /* function names up to this long have their files in one column */
#define FUNCTION_SHORT 60u   /* longer ones lose their parameters, and perhaps more */

static bool is_function(const struct frame *frame, const char *name)
{
	return frame->function && strcmp(frame->function, name) == 0;
}

/*
 * How many frames are worth showing: what called main, or a thread's start routine, is the same
 * for everybody.
 */
static size_t worthwhile(const struct named_stack *stack)
{
	for (size_t i = 0; i < stack->count; i++)
		if (is_function(&stack->frames[i], "main"))
			return i + 1;
	size_t count = stack->count;
	/* Below libc there is but _start, by whatever name or none. */
	if (count > 1 && !stack->frames[count - 1].function && frame_is_runtime(&stack->frames[count - 2]))
		count--;
	while (count && (frame_is_runtime(&stack->frames[count - 1]) ||
			 is_function(&stack->frames[count - 1], "_start")))
		count--;
	return count ? count : stack->count;
}

static const char *function_text(struct text_report *text, const struct frame *frame)
{
	if (frame->function && (text->verbose || utf8_width(frame->function) <= FUNCTION_SHORT))
		return frame->function;
	return names_short_function(&text->names, frame);
}

/* Where a frame is: `map.c:120`; without debug information `server+0x11d2`. */
static const char *location_text(struct text_report *text, const struct frame *frame)
{
	struct names *names = &text->names;
	if (frame->file && frame->line)
		return names_format(names, "%s:%u", text->verbose ? frame->file : path_base(frame->file),
				    frame->line);
	if (frame->file)
		return text->verbose ? frame->file : path_base(frame->file);
	if (!frame->function)
		return frame->module ? "" : "in no known module";
	if (!frame->module)
		return "";
	return names_format(names, "%s+0x%lx", text->verbose ? frame->module : path_base(frame->module),
			    frame->offset);
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_place(const struct frame *a, const struct frame *b)
{
	return a->offset == b->offset && a->line == b->line && same_text(a->function, b->function) &&
	       same_text(a->module, b->module);
}

static void put_frame(struct text_report *text, const struct frame *frame, size_t times, size_t indent,
		      size_t column)
{
	struct out *out = &text->out;
	const char *location = location_text(text, frame);
	out_indent(out, indent);
	out_put(out, function_text(text, frame));
	if (*location) {
		out_pad(out, column);
		out_put(out, location);
	}
	if (text->verbose && frame->function && frame->file && frame->module)
		out_format(out, " (%s)", path_base(frame->module));
	if (text->verbose && !frame->file && frame->build_id)
		out_format(out, " (build id %s)", frame->build_id);
	if (frame->inlined)
		out_put(out, " (inlined)");
	if (times > 1)
		out_format(out, " (%zu times)", times);
	out_newline(out);
}

static void put_faint(struct text_report *text, size_t indent, const char *line)
{
	out_indent(&text->out, indent);
	out_color(&text->out, COLOR_FAINT);
	out_put(&text->out, line);
	out_color(&text->out, COLOR_PLAIN);
	out_newline(&text->out);
}

/*
 * How many of the innermost frames only say how a library does what it was asked to: all but the
 * one that the program called. 0 where they are few, or nothing else is there.
 */
static size_t inside_libraries(const struct named_stack *stack, size_t count)
{
	size_t own = 0;
	while (own < count && !frame_is_own(&stack->frames[own]))
		own++;
	return own > LIBRARY_FRAMES && own < count ? own - 1 : 0;
}

/* How many frames from `first` on are the same, as in a recursion. */
static size_t run_length(const struct named_stack *stack, size_t first, size_t count)
{
	size_t end = first + 1;
	while (end < count && same_place(&stack->frames[first], &stack->frames[end]))
		end++;
	return end - first;
}

void text_stack(struct text_report *text, stack_id stack, size_t indent)
{
	const struct named_stack *named = names_stack(&text->names, stack);
	size_t count = text->verbose ? named->count : worthwhile(named);
	size_t inner = text->verbose ? 0 : inside_libraries(named, count);
	size_t lines = 0, width = 20;
	if (!count) {
		put_faint(text, indent, "(no stack was recorded)");
		return;
	}
	for (size_t i = inner; i < count; i += run_length(named, i, count))
		lines++;
	size_t cut_from = lines, cut_to = lines, line = 0;
	if (!text->verbose && lines > FRAMES_MAX) {
		cut_from = FRAMES_MAX - FRAMES_OUTER;
		cut_to = lines - FRAMES_OUTER;
	}
	for (size_t i = inner; i < count; i += run_length(named, i, count), line++) {
		size_t columns = line >= cut_from && line < cut_to
				     ? 0
				     : utf8_width(function_text(text, &named->frames[i]));
		if (columns > width && columns <= FUNCTION_COLUMNS)
			width = columns;
	}
	if (inner)
		put_faint(
		    text, indent,
		    names_format(&text->names, "... %zu frames inside libraries, shown with -v", inner));
	line = 0;
	for (size_t i = inner, run; i < count; i += run, line++) {
		run = run_length(named, i, count);
		if (line == cut_from)
			put_faint(
			    text, indent,
			    names_format(&text->names, "... %zu more, shown with -v", cut_to - cut_from));
		if (line < cut_from || line >= cut_to)
			put_frame(text, &named->frames[i], run, indent, indent + width + 2);
	}
	if (named->truncated && count == named->count)
		put_faint(text, indent, "... (what called it was not recorded)");
}

const char *text_place(struct text_report *text, stack_id stack)
{
	const struct frame *frame = names_own_frame(&text->names, stack);
	if (!frame)
		return "";
	const char *location = location_text(text, frame);
	return names_format(&text->names, "%s%s%s", names_short_function(&text->names, frame),
			    *location ? " " : "", location);
}

void text_hold_stack(struct text_report *text, stack_id stack, nsec_t since, size_t indent)
{
	const struct rec_header *header = text->report->view->header;
	if (!stack && since && header->fork_parent && since < header->started_mono)
		put_faint(text, indent, "(taken by its parent, before the fork)");
	else
		text_stack(text, stack, indent);
}
