#include "reporter/write/places.h"

#include <string.h>

static const char *block_place(struct names *names, const struct rec_place *place)
{
	const struct frame *frame = names_own_frame(names, place->stack);
	const char *bytes = names_count(names, place->bytes);
	if (!frame)
		return names_format(names, "+%lu in a %s-byte block", place->offset, bytes);
	const char *maker = names_short_function(names, frame);
	if (!frame->file)
		return names_format(names, "+%lu in a %s-byte block from %s", place->offset, bytes, maker);
	return names_format(names, "+%lu in a %s-byte block from %s %s:%u", place->offset, bytes, maker,
			    path_base(frame->file), frame->line);
}

/* The function whose frame it is; NULL: not known. Inlined ones have none of their own. */
static const char *frame_function(struct names *names, const struct rec_place *place)
{
	const struct rec_stack *record = view_stack(names->report->view, place->stack);
	const struct named_stack *stack = names_stack(names, place->stack);
	uint32_t number = 0;
	if (!record || !place->frame || place->frame > record->count)
		return NULL;
	for (size_t i = 0; i < stack->count; i++) {
		number += !stack->frames[i].inlined;
		if (number == place->frame)
			return names_short_function(names, &stack->frames[i]);
	}
	return NULL;
}

/* ` (file.c:31)` of a declaration, or "". */
static const char *declared(struct names *names, const struct frame *variable)
{
	return variable->file && variable->line
		   ? names_format(names, " (%s:%u)", path_base(variable->file), variable->line)
		   : "";
}

static void stack_place(struct names *names, const struct rec_place *place, const char **ret_name,
			const char **ret_where)
{
	const struct report *report = names->report;
	const char *owner = names_thread(names, place->thread, NULL);
	const char *function = frame_function(names, place);
	/* Every program has one, on one stack. */
	bool is_main = place->thread == 1 && function && strcmp(function, "main") == 0;
	struct frame variable;
	if (function && report->symbolizer->variable(report->symbolizer, report->view, place, &variable))
		*ret_name =
		    names_format(names, "%s in the frame of %s%s%s%s", variable.function, function,
				 is_main ? "" : ", ", is_main ? "" : owner, declared(names, &variable));
	else if (function)
		*ret_where = names_format(names, "on the stack of %s, in the frame of %s", owner, function);
	else
		*ret_where = names_format(names, "on the stack of %s", owner);
}

static void tls_place(struct names *names, const struct rec_place *place, const char **ret_name,
		      const char **ret_where)
{
	const struct report *report = names->report;
	const char *owner = names_thread(names, place->thread, NULL);
	struct frame variable;
	if (report->symbolizer->variable(report->symbolizer, report->view, place, &variable))
		*ret_name = names_format(names, "%s of %s (thread-local, %s)", variable.function, owner,
					 path_base(variable.module));
	else
		*ret_where = names_format(names, "thread-local, of %s", owner);
}

bool place_name(struct names *names, uint32_t number, const char **ret_name, const char **ret_where)
{
	const struct rec_place *place = view_place(names->report->view, number);
	const char *path;
	switch (place ? place->sort : PLACE_NOWHERE) {
	case PLACE_BLOCK:
		*ret_where = block_place(names, place);
		return true;
	case PLACE_STACK:
		stack_place(names, place, ret_name, ret_where);
		return true;
	case PLACE_TLS:
		tls_place(names, place, ret_name, ret_where);
		return true;
	case PLACE_FILE:
		path = view_text(names->report->view, place->path);
		*ret_name = names_format(names, "+%lu in %s", place->offset, path);
		return *path;
	default:
		return false;
	}
}
