#include "reporter/write/text_report.h"

#include <string.h>

/*
 * A deadlock by thread: what it waits for and what it holds; then how it came about, in two
 * columns for two threads (as the kernel's lockdep does it), as a ring for more.
 */

struct ring {
	const struct finding_item
	    *waits[FINDING_MAX_ITEMS]; /* one a thread, each before the one it waits for */
	uint32_t count;
	bool closed; /* the last one waits for the first */
};

static const struct finding_item *wait_of(const struct finding *finding, thread_id thread)
{
	for (uint32_t i = 0; i < finding_items(finding); i++)
		if (finding_is_ring_wait(finding, &finding->items[i]) && finding->items[i].thread == thread)
			return &finding->items[i];
	return NULL;
}

/* Puts the waits in the order of the ring; in their own where it does not close. */
static void ring_make(struct ring *ring, const struct finding *finding)
{
	uint32_t items = finding_items(finding);
	uint32_t all = 0;
	const struct finding_item *first = NULL;
	ring->count = 0;
	ring->closed = false;
	for (uint32_t i = 0; i < items; i++) {
		if (!finding_is_ring_wait(finding, &finding->items[i]))
			continue;
		first = first ? first : &finding->items[i];
		all++;
	}
	for (const struct finding_item *at = first; at && ring->count < all;
	     at = wait_of(finding, at->other)) {
		ring->waits[ring->count++] = at;
		ring->closed = at->other == first->thread;
		if (ring->closed)
			break;
	}
	if (ring->closed && ring->count == all)
		return;
	ring->closed = false;
	ring->count = 0;
	for (uint32_t i = 0; i < items; i++)
		if (finding_is_ring_wait(finding, &finding->items[i]))
			ring->waits[ring->count++] = &finding->items[i];
}

static bool same_object(const struct finding_item *a, const struct finding_item *b)
{
	return a->handle == b->handle && a->object_kind == b->object_kind;
}

/* What `thread` holds of the ring's objects; NULL: nothing is known (a join). */
static const struct finding_item *hold_of(const struct finding *finding, const struct finding_item *wait)
{
	for (uint32_t i = 0; i < finding_items(finding); i++) {
		const struct finding_item *item = &finding->items[i];
		if (item->role == ROLE_acquired && same_object(item, wait) &&
		    (!wait->other || item->thread == wait->other))
			return item;
	}
	return NULL;
}

static void put_thread(struct text_report *text, const struct account *account,
		       const struct finding_item *wait)
{
	struct names *names = &text->names;
	const struct finding *finding = account->finding;
	const char *tid = wait->tid > 0 ? names_format(names, " (tid %d)", wait->tid) : "";
	text_line(text, TEXT_INDENT, names_format(names, "%s%s", names_item_thread(names, wait), tid), 0);
	for (uint32_t i = 0; i < finding_items(finding); i++)
		if (finding->items[i].thread == wait->thread)
			text_item(text, account, &finding->items[i], wait->thread, TEXT_INDENT + 2);
}

/* -- how it came about ------------------------------------------------------ */

static const char *takes(struct text_report *text, const struct finding_item *hold)
{
	return names_format(&text->names, "takes %s%s",
			    object_text(&text->names, object_of_item(&text->names, hold), OBJECT_BRIEF),
			    hold->mode == MODE_SHARED && hold->object_kind != KIND_SEM ? " (shared)" : "");
}

static const char *waits(struct text_report *text, const struct finding_item *wait)
{
	struct object *object = object_of_item(&text->names, wait);
	return names_format(&text->names, "waits for %s%s",
			    object && object->kind == KIND_THREAD ? "the end of " : "",
			    object_text(&text->names, object, OBJECT_BRIEF));
}

static void put_column(struct text_report *text, size_t column, const char *line)
{
	out_indent(&text->out, TEXT_INDENT + 4);
	if (column)
		out_pad(&text->out, TEXT_INDENT + 4 + column);
	out_put(&text->out, line);
	out_newline(&text->out);
}

static void put_rule(struct out *out, size_t columns)
{
	for (size_t i = 0; i < columns; i++)
		out_put(out, "-");
}

static void put_two_columns(struct text_report *text, const struct finding *finding, const struct ring *ring)
{
	struct names *names = &text->names;
	/* What thread 0 holds is what thread 1 waits for, and the other way round. */
	const struct finding_item *holds[2] = { hold_of(finding, ring->waits[1]),
						hold_of(finding, ring->waits[0]) };
	const char *heads[2], *lines[4];
	size_t width = 0;
	for (int i = 0; i < 2; i++) {
		heads[i] = names_item_thread(names, ring->waits[i]);
		lines[i] = holds[i] ? takes(text, holds[i]) : NULL;
		lines[2 + i] = waits(text, ring->waits[i]);
	}
	const char *const left[] = { heads[0], lines[0] ? lines[0] : "", lines[2] };
	for (size_t i = 0; i < COUNT_OF(left); i++)
		width = MAX_OF(width, utf8_width(left[i]));
	width += 4;
	text_line(text, TEXT_INDENT, "how it came about", 0);
	out_indent(&text->out, TEXT_INDENT + 4);
	out_put(&text->out, heads[0]);
	out_pad(&text->out, TEXT_INDENT + 4 + width);
	out_put(&text->out, heads[1]);
	out_newline(&text->out);
	out_indent(&text->out, TEXT_INDENT + 4);
	put_rule(&text->out, width - 4);
	out_pad(&text->out, TEXT_INDENT + 4 + width);
	put_rule(&text->out, MAX_OF(utf8_width(heads[1]), utf8_width(lines[3])));
	out_newline(&text->out);
	/* In the order of time: whoever took first, and whoever began to wait first. */
	int first = holds[0] && holds[1] && holds[1]->since < holds[0]->since;
	for (int i = 0; i < 2; i++)
		if (lines[first ^ i])
			put_column(text, first ^ i ? width : 0, lines[first ^ i]);
	first = ring->waits[1]->since < ring->waits[0]->since;
	for (int i = 0; i < 2; i++)
		put_column(text, first ^ i ? width : 0, lines[2 + (first ^ i)]);
}

static void put_ring(struct text_report *text, const struct ring *ring)
{
	struct names *names = &text->names;
	text_line(text, TEXT_INDENT, "the ring", 0);
	for (uint32_t i = 0; i < ring->count; i++) {
		const struct finding_item *wait = ring->waits[i];
		const char *who = names_item_thread(names, wait);
		bool joins = wait->object_kind == KIND_THREAD;
		text_line(text, TEXT_INDENT + 4,
			  names_format(names, "%s%s %s%s", who, i ? ", which" : "",
				       joins ? "waits for the end of" : waits(text, wait),
				       joins ? "" : ", held by"),
			  0);
	}
	text_line(text, TEXT_INDENT + 4, names_item_thread(names, ring->waits[0]), 0);
}

void text_deadlock(struct text_report *text, const struct account *account)
{
	const struct finding *finding = account->finding;
	struct ring *ring = arena_alloc(text->names.arena, sizeof(*ring));
	if (!ring)
		return;
	ring_make(ring, finding);
	for (uint32_t i = 0; i < ring->count; i++)
		put_thread(text, account, ring->waits[i]);
	for (uint32_t i = 0; i < finding_items(finding); i++)
		if (!wait_of(finding, finding->items[i].thread) && finding->items[i].role != ROLE_waits)
			text_item(text, account, &finding->items[i], 0, TEXT_INDENT);
	if (finding->flags & FOUND_ASLEEP)
		; /* there is no ring to be shown */
	else if (ring->count == 2)
		put_two_columns(text, finding, ring);
	else if (ring->count > 2 && ring->closed)
		put_ring(text, ring);
	text_waiters(text, account);
}
