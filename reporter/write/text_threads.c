#include "reporter/write/text_report.h"

#include <string.h>

#define FOLD_NAMED 6u   /* this many equal threads are told by name, more by number */
#define FOLD_RANGES 16u /* of numbers, at the most */

/* Every thread: state, stack, what it waits for and who holds that, what it holds. */

static const char *state_text(struct text_report *text, const struct snap_thread *thread)
{
	switch (thread->state) {
	case THREAD_STARTING:
		return "starting";
	case THREAD_ENDED:
		return (thread->flags & (THREAD_JOINED | THREAD_DETACHED)) ? "ended" : "ended, not joined";
	default:
		break;
	}
	bool dead = !text->report->view->live;
	switch (thread->kernel_state) {
	case 'R':
		return thread->waiting ? "waking up" : "running";
	case 'T':
	case 't':
		return "stopped";
	case 'D':
		return "blocked, uninterruptible";
	case 'Z':
	case 'X':
		return "dead";
	case 'S':
	case 'I':
		return "blocked";
	default:
		return thread->waiting ? (dead ? "was blocked" : "blocked")
		       : dead          ? "was running"
				       : "running";
	}
}

/* The stack that is shown for a thread, 0: none is known. */
static stack_id shown_stack(const struct snap_thread *thread)
{
	return thread->waiting ? thread->wait.stack : thread->now_stack;
}

/* Mappings are the process's: they are told once, by place. */
static bool is_own(const struct rec_hold *resource)
{
	return resource->kind != KIND_MAPPING;
}

static bool holds_nothing(const struct text_report *text, uint32_t index)
{
	uint32_t count, own = 0;
	const struct rec_hold **resources = thread_resources(&text->names, index, &count);
	for (uint32_t i = 0; i < count && !own; i++)
		own += is_own(resources[i]);
	return !own && !text->report->snapshot->threads[index].hold_count;
}

/* Threads that a reader need not tell apart: idle in the same place, holding nothing. */
static bool alike(const struct text_report *text, uint32_t a, uint32_t b)
{
	const struct snap_thread *first = &text->report->snapshot->threads[a];
	const struct snap_thread *second = &text->report->snapshot->threads[b];
	return shown_stack(first) && shown_stack(first) == shown_stack(second) &&
	       first->state == second->state && first->waiting == second->waiting &&
	       first->wait.op == second->wait.op && first->wait.handle == second->wait.handle &&
	       first->kernel_state == second->kernel_state && holds_nothing(text, a) &&
	       holds_nothing(text, b);
}

/* `thread 3 "reader" (shared), thread 4 "b" and 2 more`: who holds an object; NULL: nobody that is known. */
static const char *holders_text(struct text_report *text, const struct object *object)
{
	const char *list = NULL;
	uint32_t index = 0;
	if (!object || object->kind == KIND_THREAD)
		return NULL;
	for (const struct holder *at = object->holders; at; at = at->next) {
		list = text_list_add(text, list, names_thread(&text->names, at->thread, NULL), index,
				     object->holder_count);
		index++;
	}
	return list;
}

static void put_wait(struct text_report *text, const struct snap_thread *thread)
{
	struct names *names = &text->names;
	const struct rec_wait *wait = &thread->wait;
	struct object *object = object_of_wait(names, wait);
	nsec_t now = text->report->snapshot->now;
	const char *label = text_wait_label(text, "waits", object, wait->op, holders_text(text, object));
	if (wait->kind == KIND_COND && wait->handle2)
		label = names_format(
		    names, "%s, having given up %s", label,
		    object_text(names, object_get(names, KIND_MUTEX, wait->handle2, 0, 0), OBJECT_BRIEF));
	if (wait->timed)
		label = names_format(names, "%s, with a timeout", label);
	text_line(text, TEXT_INDENT, label, wait->since && now > wait->since ? now - wait->since : 0);
	text_stack(text, wait->stack, TEXT_INDENT + 4);
	text_signalled(text, object, TEXT_INDENT);
}

static void put_hold(struct text_report *text, const struct rec_hold *hold)
{
	struct names *names = &text->names;
	struct object *object = object_of_hold(names, hold);
	nsec_t now = text->report->snapshot->now;
	if (!object || hold->state == HOLD_PARKED)
		return;
	const char *label = text_hold_label(text, "holds", object, hold->mode, hold->count);
	if (object->waiter_count)
		label = names_format(names, "%s, %u wait%s for it", label, object->waiter_count,
				     object->waiter_count == 1 ? "s" : "");
	text_line(text, TEXT_INDENT, label, hold->since && now > hold->since ? now - hold->since : 0);
	text_hold_stack(text, hold->stack, hold->since, TEXT_INDENT + 4);
}

/*
 * What a thread has opened at one place and in one kind is told once: how many, and the oldest of them. The
 * resources of a thread stand in the order of the table, not of time.
 */
static void put_resources(struct text_report *text, const struct rec_hold *const *resources, uint32_t count)
{
	struct names *names = &text->names;
	nsec_t now = text->report->snapshot->now;
	bool *told = arena_array(names->arena, (size_t)count + 1, sizeof(*told));
	for (uint32_t i = 0; told && i < count; i++) {
		const struct rec_hold *oldest = resources[i];
		uint32_t alike = 1;
		bool one_name = true;
		if (told[i] || !is_own(oldest))
			continue;
		for (uint32_t j = i + 1; j < count && !text->verbose && oldest->stack; j++) {
			if (told[j] || resources[j]->stack != oldest->stack ||
			    resources[j]->kind != oldest->kind)
				continue;
			told[j] = true;
			alike++;
			one_name &= resources[j]->name == oldest->name;
			if (resources[j]->since < oldest->since)
				oldest = resources[j];
		}
		if (alike == 1) {
			put_hold(text, oldest);
			continue;
		}
		text_line(text, TEXT_INDENT,
			  names_format(names, "holds %s, opened in one place; the oldest",
				       kind_many(names, oldest->kind, alike, one_name ? oldest->name : 0)),
			  oldest->since && now > oldest->since ? now - oldest->since : 0);
		text_stack(text, oldest->stack, TEXT_INDENT + 4);
	}
}

static void put_head(struct text_report *text, const struct snap_thread *thread)
{
	struct names *names = &text->names;
	struct out *out = &text->out;
	out_color(out, COLOR_STRONG);
	out_put(out, names_thread(names, thread->id, NULL));
	out_color(out, COLOR_PLAIN);
	if (thread->tid > 0)
		out_format(out, " (tid %d)", thread->tid);
	out_format(out, ": %s", state_text(text, thread));
	if (thread->cpu_ns)
		out_format(out, ", cpu %s", names_duration(names, thread->cpu_ns));
	if (thread->torn)
		out_put(out, ", busy while it was looked at: what follows may be a mixture");
	out_newline(out);
}

static void put_now(struct text_report *text, const struct snap_thread *thread)
{
	if (thread->waiting || thread->state == THREAD_ENDED)
		return;
	if (thread->now_stack) {
		text_line(text, TEXT_INDENT, "now in (looked up from outside)", 0);
		text_stack(text, thread->now_stack, TEXT_INDENT + 4);
	} else if (text->report->view->live && thread->kernel_state == 'R') {
		text_line(text, TEXT_INDENT, "now running: its stack can't be read without interrupting it",
			  0);
	}
}

static void put_thread(struct text_report *text, uint32_t index)
{
	const struct snap_thread *thread = &text->report->snapshot->threads[index];
	uint32_t count;
	put_head(text, thread);
	if (thread->waiting)
		put_wait(text, thread);
	put_now(text, thread);
	for (uint32_t i = 0; i < thread->hold_count; i++)
		put_hold(text, &thread->holds[i]);
	const struct rec_hold **resources = thread_resources(&text->names, index, &count);
	put_resources(text, resources, count);
	if (thread->created_stack && text->verbose) {
		text_line(text, TEXT_INDENT, "was made in", 0);
		text_stack(text, thread->created_stack, TEXT_INDENT + 4);
	}
}

/*
 * Those behind `first` that are like it, which are marked as told: by name where they are few, else
 * as ranges of their ids: `2-249, 251-500`. NULL: none.
 */
static const char *fold_threads(struct text_report *text, uint32_t first, bool *told, uint32_t *ret_count)
{
	struct names *names = &text->names;
	const struct snapshot *snapshot = text->report->snapshot;
	const char *named = NULL, *ranges = "";
	uint32_t count = 0, at = 0, range_count = 0;
	thread_id from = 0, to = 0;
	for (uint32_t i = first + 1; i < snapshot->thread_count; i++)
		count += !told[i] && alike(text, first, i);
	for (uint32_t i = first + 1; i < snapshot->thread_count && at < count; i++) {
		if (told[i] || !alike(text, first, i))
			continue;
		told[i] = true;
		thread_id id = snapshot->threads[i].id;
		named = text_list_add(text, named, names_thread(names, id, NULL), at++, count);
		bool goes_on = to && id == to + 1;
		if (to && !goes_on && ++range_count <= FOLD_RANGES)
			ranges = names_format(names, from == to ? "%s%u, " : "%s%u-%u, ", ranges, from, to);
		from = goes_on ? from : id;
		to = id;
	}
	*ret_count = count;
	if (count <= FOLD_NAMED)
		return named;
	if (range_count >= FOLD_RANGES)
		return names_format(names, "%s...", ranges);
	return names_format(names, from == to ? "%s%u" : "%s%u-%u", ranges, from, to);
}

void text_threads(struct text_report *text)
{
	const struct snapshot *snapshot = text->report->snapshot;
	bool *told = arena_array(text->names.arena, (size_t)snapshot->thread_count + 1, sizeof(*told));
	for (uint32_t i = 0; told && i < snapshot->thread_count; i++) {
		uint32_t others = 0;
		if (told[i])
			continue;
		put_thread(text, i);
		const char *list = text->verbose ? NULL : fold_threads(text, i, told, &others);
		if (list)
			text_line(text, TEXT_INDENT,
				  names_format(&text->names, "%u more thread%s with the same stack: %s",
					       others, others == 1 ? "" : "s", list),
				  0);
		out_newline(&text->out);
	}
}
