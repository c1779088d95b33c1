#include "reporter/finding.h"

#include <string.h>

static const struct {
	const char *name;
	enum severity severity;
	const char *words;
} kinds[] = {
#define FINDING(id, text, level, sentence) \
	[FINDING_##id] = { .name = (text), .severity = SEVERITY_##level, .words = (sentence) },
#include "reporter/findings.def"
};

static const char *const roles[] = {
#define ROLE(id, text) [ROLE_##id] = (text),
#include "reporter/roles.def"
};

_Static_assert(sizeof(struct finding) % 8 == 0 && sizeof(struct finding_item) % 8 == 0,
	       "findings lie one behind the other in the log, each at a multiple of 8");

const char *finding_kind_name(unsigned kind)
{
	return kind < COUNT_OF(kinds) ? kinds[kind].name : "unknown";
}

enum severity finding_kind_severity(unsigned kind)
{
	return kind < COUNT_OF(kinds) ? kinds[kind].severity : SEVERITY_INFO;
}

const char *finding_kind_words(unsigned kind)
{
	return kind < COUNT_OF(kinds) ? kinds[kind].words : "";
}

int finding_kind_find(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(kinds); i++)
		if (!strcmp(kinds[i].name, name))
			return (int)i;
	return -1;
}

bool finding_kind_is_sought(unsigned kind)
{
	return kind == FINDING_leak || kind == FINDING_possible_leak || kind == FINDING_orphan_thread ||
	       kind == FINDING_ghost || kind == FINDING_iterator_leak;
}

const char *severity_name(unsigned severity)
{
	return severity == SEVERITY_ERROR ? "error" : severity == SEVERITY_WARNING ? "warning" : "info";
}

const char *role_name(unsigned role)
{
	return role < COUNT_OF(roles) ? roles[role] : "unknown";
}

/* -- building -------------------------------------------------------------- */

static bool list_grow(struct finding_list *list)
{
	if (list->count < list->room)
		return true;
	uint32_t room = list->room ? list->room * 2 : 32;
	struct finding **found = arena_array(list->arena, room, sizeof(*found));
	if (!found)
		return false;
	if (list->count)
		memcpy(found, list->found, list->count * sizeof(*found));
	list->found = found;
	list->room = room;
	return true;
}

struct finding *finding_begin(struct finding_list *list, enum finding_kind kind,
			      const struct snapshot *snapshot, uint32_t items)
{
	/* One more item than asked for: the scratch item of finding_add. */
	size_t room = MIN_OF(items, FINDING_MAX_ITEMS) + (size_t)1;
	struct finding *finding = NULL;
	if (list_grow(list))
		finding = arena_alloc(list->arena, sizeof(*finding) + room * sizeof(finding->items[0]));
	if (!finding) {
		list->incomplete = true;
		return NULL;
	}
	finding->bytes = sizeof(*finding);
	finding->kind = (uint16_t)kind;
	finding->severity = (uint8_t)finding_kind_severity(kind);
	finding->at = snapshot->now;
	list->found[list->count++] = finding;
	return finding;
}

struct finding_item *finding_add(struct finding *finding, enum role role, uint32_t room)
{
	if (!finding)
		return NULL;
	struct finding_item *item = &finding->items[finding->item_count];
	if (finding->item_count < MIN_OF(room, FINDING_MAX_ITEMS)) {
		finding->item_count++;
		finding->bytes += sizeof(*item);
	}
	memset(item, 0, sizeof(*item));
	item->role = (uint8_t)role;
	return item;
}

void finding_item_thread(struct finding_item *item, const struct snap_thread *thread)
{
	item->thread = thread->id;
	item->tid = thread->tid;
	memcpy(item->thread_name, thread->name, sizeof(item->thread_name));
	if (thread->state == THREAD_ENDED)
		item->flags |= ITEM_ENDED;
}

void finding_item_hold(struct finding_item *item, const struct rec_hold *hold)
{
	item->object_kind = hold->kind;
	item->handle = hold->handle;
	item->mode = hold->mode;
	item->op = hold->op;
	item->since = hold->since;
	item->stack = hold->stack;
	item->name = hold->name;
	item->count = hold->count;
	item->serial = hold->serial;
}

void finding_item_wait(struct finding_item *item, const struct rec_wait *wait)
{
	item->object_kind = wait->kind;
	item->handle = wait->handle;
	item->mode = wait->mode;
	item->op = wait->op;
	item->since = wait->since;
	item->stack = wait->stack;
	item->serial = wait->serial;
	item->other = wait->target;
	if (wait->timed)
		item->flags |= ITEM_TIMED;
}

/* -- the log --------------------------------------------------------------- */

/* Whether the bytes at `finding`, of which `room` can be read, are a finding. */
static bool finding_is_sound(const struct finding *finding, uint64_t room)
{
	if (room < sizeof(*finding))
		return false;
	/* Zero until the record is complete: whoever appends it writes its size last. */
	uint32_t bytes = __atomic_load_n(&finding->bytes, __ATOMIC_ACQUIRE);
	if (bytes < sizeof(*finding) || bytes % 8 || bytes > room)
		return false;
	if (finding->item_count > FINDING_MAX_ITEMS ||
	    finding->item_count > (bytes - sizeof(*finding)) / sizeof(finding->items[0]))
		return false;
	for (uint32_t i = 0; i < finding->item_count; i++)
		if (!memchr(finding->items[i].thread_name, '\0', sizeof(finding->items[i].thread_name)))
			return false;
	return true;
}

const struct finding *finding_next(const struct view *view, const struct finding *previous)
{
	const char *log = view->tables[REC_ALERTS];
	if (!log)
		return NULL;
	uint64_t used = view_used(view, REC_ALERTS);
	uint64_t at = previous ? (uint64_t)((const char *)previous - log) + previous->bytes : 0;
	if (at > used)
		return NULL;
	const struct finding *next = (const void *)(log + at);
	return finding_is_sound(next, used - at) ? next : NULL;
}
