#include "reporter/write/names.h"

#include <errno.h>
#include <string.h>

#include "base/hash.h"
#include "base/text.h"
#include "base/units.h"
#include "reporter/write/objects.h"

#define SHORT_FUNCTION 60u /* bytes; a name that is longer fills a line by itself */

uint32_t finding_items(const struct finding *finding)
{
	if (finding->bytes < sizeof(*finding))
		return 0;
	size_t room = (finding->bytes - sizeof(*finding)) / sizeof(finding->items[0]);
	return (uint32_t)MIN_OF(MIN_OF(room, finding->item_count), FINDING_MAX_ITEMS);
}

static const char *keep(struct names *names, const struct text *text)
{
	const char *copy = arena_copy(names->arena, text->at, text->used);
	return copy ? copy : "?";
}

const char *names_format(struct names *names, const char *format, ...)
{
	char small[512];
	struct text text = TEXT_OF(small);
	va_list list;
	va_start(list, format);
	text_vformat(&text, format, list);
	va_end(list);
	if (!text.cut)
		return keep(names, &text);
	for (size_t size = 4096; text.cut && size <= 65536; size *= 4) {
		char *at = arena_alloc(names->arena, size);
		if (!at)
			return "?";
		text = (struct text){ .at = at, .size = size };
		va_start(list, format);
		text_vformat(&text, format, list);
		va_end(list);
	}
	return text.at;
}

const char *names_duration(struct names *names, nsec_t ns)
{
	char small[48];
	struct text text = TEXT_OF(small);
	units_put_duration(&text, ns);
	return keep(names, &text);
}

const char *names_size(struct names *names, uint64_t bytes)
{
	char small[48];
	struct text text = TEXT_OF(small);
	units_put_size(&text, bytes);
	return keep(names, &text);
}

const char *names_count(struct names *names, uint64_t count)
{
	char small[48];
	struct text text = TEXT_OF(small);
	units_put_count(&text, count);
	return keep(names, &text);
}

bool names_table_grow(struct arena *arena, void ***slots, size_t *room, size_t count,
		      uint64_t (*hash)(const void *entry))
{
	if (*room > count * 2)
		return true;
	size_t larger = *room ? *room * 2 : 64;
	void **fresh = arena_array(arena, larger, sizeof(*fresh));
	if (!fresh)
		return false;
	for (size_t i = 0; i < *room; i++) {
		if (!(*slots)[i])
			continue;
		size_t at = hash((*slots)[i]) & (larger - 1);
		while (fresh[at])
			at = (at + 1) & (larger - 1);
		fresh[at] = (*slots)[i];
	}
	*slots = fresh;
	*room = larger;
	return true;
}

/* -- stacks ----------------------------------------------------------------- */

static uint64_t hash_stack(const void *entry)
{
	return hash_mix(((const struct named_stack *)entry)->id);
}

/* A call of whoholds.h, whose functions are compiled into their callers. */
static bool is_annotation(const struct frame *frame)
{
	return frame->function && frame->file && strncmp(frame->function, "wh_", 3) == 0 &&
	       strcmp(path_base(frame->file), "whoholds.h") == 0;
}

/*
 * Drops the frames of the shim itself, which the stack of a thread that was looked at while it
 * waits begins with. They are known by the module, whose path is that in the table of modules.
 */
static size_t drop_shim(const struct names *names, struct frame *frames, size_t count)
{
	size_t kept = 0;
	for (size_t i = 0; i < count; i++)
		if (!is_annotation(&frames[i]) && (!names->shim_path || !frames[i].module ||
						   strcmp(frames[i].module, names->shim_path) != 0))
			frames[kept++] = frames[i];
	return kept;
}

const struct named_stack *names_stack(struct names *names, stack_id stack)
{
	static const struct named_stack none;
	const struct report *report = names->report;
	if (!stack)
		return &none;
	if (!names_table_grow(names->arena, (void ***)&names->stack_slots, &names->stack_room,
			      names->stack_count, hash_stack))
		return &none;
	size_t at = hash_mix(stack) & (names->stack_room - 1);
	for (; names->stack_slots[at]; at = (at + 1) & (names->stack_room - 1))
		if (names->stack_slots[at]->id == stack)
			return names->stack_slots[at];
	struct named_stack *fresh = arena_alloc(names->arena, sizeof(*fresh));
	if (!fresh)
		return &none;
	struct frame *frames = NULL;
	size_t count =
	    report->symbolizer->frames(report->symbolizer, report->view, stack, names->arena, &frames);
	fresh->id = stack;
	fresh->count = frames ? drop_shim(names, frames, count) : 0;
	fresh->frames = frames;
	const struct rec_stack *record = view_stack(report->view, stack);
	fresh->truncated = record && (record->flags & STACK_TRUNCATED);
	names->stack_slots[at] = fresh;
	names->stack_count++;
	*names->last_stack = fresh;
	names->last_stack = &fresh->next;
	return fresh;
}

const struct frame *names_own_frame(struct names *names, stack_id stack)
{
	const struct named_stack *named = names_stack(names, stack);
	const struct frame *own = NULL;
	for (size_t i = 0; i < named->count; i++) {
		const struct frame *frame = &named->frames[i];
		if (!frame_is_own(frame))
			continue;
		/* Who called the allocator is meant, where it has a name. */
		own = own && !frame->function ? own : frame;
		if (!frame_is_allocator(frame))
			break;
	}
	return own ? own : named->count ? &named->frames[0] : NULL;
}

const char *names_frame_function(struct names *names, const struct frame *frame)
{
	if (!frame->function && frame->module)
		return names_format(names, "%s+0x%lx", path_base(frame->module), frame->offset);
	if (!frame->function)
		return names_format(names, "0x%lx", frame->offset);
	size_t length;
	const char *stem = function_stem(frame->function, &length);
	return names_format(names, "%.*s", (int)MIN_OF(length, 400), stem);
}

/* Drops what stands in the outermost <>, unless the name begins with it (Rust's <T as Trait>). */
static const char *without_arguments(struct names *names, const char *name, size_t length)
{
	char *copy = arena_alloc(names->arena, length + 1);
	size_t used = 0, depth = 0;
	if (!copy)
		return "?";
	for (size_t i = 0; i < length; i++) {
		bool arrow = i && name[i - 1] == '-';
		if (name[i] == '>' && depth && !arrow)
			depth--;
		if (!depth)
			copy[used++] = name[i];
		if (name[i] == '<' && i)
			depth++;
	}
	return copy;
}

const char *names_short_function(struct names *names, const struct frame *frame)
{
	const char *function = names_frame_function(names, frame);
	size_t length = strlen(function);
	return length > SHORT_FUNCTION ? without_arguments(names, function, length) : function;
}

const char *names_own_function(struct names *names, stack_id stack)
{
	const struct frame *frame = names_own_frame(names, stack);
	return frame ? names_short_function(names, frame) : NULL;
}

/* -- threads ---------------------------------------------------------------- */

const char *names_thread(struct names *names, thread_id thread, const char *recorded_name)
{
	char name[REC_NAME_BYTES + 1] = "";
	const struct snap_thread *known = NULL;
	if (!recorded_name || !recorded_name[0])
		known = snapshot_thread(names->report->snapshot, thread);
	if (known)
		recorded_name = known->name;
	if (recorded_name)
		memcpy(name, recorded_name, strnlen(recorded_name, REC_NAME_BYTES));
	if (!thread)
		return name[0] ? names_format(names, "thread \"%s\"", name) : "an unknown thread";
	if (thread == 1 && (!name[0] || strncmp(name, names->program, REC_NAME_BYTES - 1) == 0))
		return "thread 1 \"main\"";
	return name[0] ? names_format(names, "thread %u \"%s\"", thread, name)
		       : names_format(names, "thread %u", thread);
}

const char *names_item_thread(struct names *names, const struct finding_item *item)
{
	return names_thread(names, item->thread, item->thread_name);
}

/* -- all of them ------------------------------------------------------------ */

int names_init(struct names *names, const struct report *report)
{
	const struct view *view = report->view;
	*names = (struct names){ .report = report, .arena = report->arena };
	names->last_stack = &names->stacks;
	names->last_object = &names->objects;
	names->program = view_program(view);
	for (uint32_t i = 0; i < view_modules(view) && !names->shim_path; i++) {
		const struct rec_module *module = view_module_at(view, i);
		const char *path =
		    module && (module->flags & MODULE_SHIM) ? view_text(view, module->path) : "";
		names->shim_path = *path ? path : NULL;
	}
	return objects_collect(names);
}
