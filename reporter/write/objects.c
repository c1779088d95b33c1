#include "reporter/write/objects.h"

#include <errno.h>
#include <string.h>

#include "base/hash.h"
#include "reporter/write/places.h"

static const struct {
	const char *prefix, *one, *many, *given_back;
	enum handle_sort sort;
} kind_words[KIND_COUNT] = {
#define KIND_WORDS(id, prefix_, one_, many_, given_back_, sort_) \
	[KIND_##id] = { prefix_, one_, many_, given_back_, HANDLE_##sort_ },
#include "reporter/write/kind_words.def"
};

/* A number out of a damaged recording is no kind: it is spoken of as an object. */
static unsigned known_kind(unsigned kind)
{
	return kind < KIND_COUNT && kind_words[kind].one ? kind : KIND_NONE;
}

const char *kind_noun(unsigned kind, uint64_t count)
{
	kind = known_kind(kind);
	return count == 1 ? kind_words[kind].one : kind_words[kind].many;
}

const char *kind_many(struct names *names, unsigned kind, uint64_t count, text_id name)
{
	const char *called = view_text(names->report->view, name);
	const char *many = names_format(names, "%s %s", names_count(names, count), kind_noun(kind, count));
	return *called ? names_format(names, "%s \"%s\"", many, called) : many;
}

const char *item_many(struct names *names, const struct finding_item *item, uint64_t count)
{
	return kind_many(names, item->object_kind, count,
			 item->flags & ITEM_OF_SEVERAL_NAMES ? 0 : item->name);
}

const char *kind_given_back(unsigned kind)
{
	return kind_words[known_kind(kind)].given_back;
}

const char *finding_given_back(const struct finding_item *item)
{
	bool detached = item->op == OP_pthread_detach || item->op == OP_thrd_detach;
	return detached ? "detached" : kind_given_back(item->object_kind);
}

enum handle_sort kind_handle_sort(unsigned kind)
{
	return kind_words[known_kind(kind)].sort;
}

/* -- one object ------------------------------------------------------------- */

static uint64_t hash_identity(unsigned kind, uint64_t handle)
{
	return hash_add(hash_mix(kind), handle);
}

static uint64_t hash_object(const void *entry)
{
	const struct object *object = entry;
	return hash_identity(object->kind, object->target ? object->target : object->handle);
}

struct object *object_get(struct names *names, unsigned kind, uint64_t handle, text_id text, thread_id target)
{
	kind = known_kind(kind);
	enum handle_sort sort = kind_handle_sort(kind);
	if (kind != KIND_THREAD)
		target = 0;
	if (sort == HANDLE_NOTHING || (!handle && !target && sort != HANDLE_DESCRIPTOR) ||
	    (sort == HANDLE_DESCRIPTOR && handle & WAIT_SEVERAL))
		return NULL;
	if (!names_table_grow(names->arena, (void ***)&names->object_slots, &names->object_room,
			      names->object_count, hash_object))
		return NULL;
	size_t at = hash_identity(kind, target ? target : handle) & (names->object_room - 1);
	for (; names->object_slots[at]; at = (at + 1) & (names->object_room - 1)) {
		struct object *object = names->object_slots[at];
		if (object->kind != kind || object->target != target || (!target && object->handle != handle))
			continue;
		if (!object->text)
			object->text = text;
		return object;
	}
	struct object *fresh = arena_alloc(names->arena, sizeof(*fresh));
	if (!fresh)
		return NULL;
	fresh->kind = (uint8_t)kind;
	fresh->handle = handle;
	fresh->target = target;
	fresh->text = text;
	fresh->number = (uint32_t)++names->object_count;
	fresh->last_holder = &fresh->holders;
	fresh->last_waiter = &fresh->waiters;
	names->object_slots[at] = fresh;
	*names->last_object = fresh;
	names->last_object = &fresh->next;
	return fresh;
}

struct object *object_of_item(struct names *names, const struct finding_item *item)
{
	if (item->object_kind == KIND_NONE)
		return NULL;
	struct object *object = object_get(names, item->object_kind, item->handle, item->name, item->other);
	if (object && !object->place)
		object->place = item->place;
	return object;
}

struct object *object_of_hold(struct names *names, const struct rec_hold *hold)
{
	return object_get(names, hold->kind, hold->handle, hold->name, 0);
}

struct object *object_of_wait(struct names *names, const struct rec_wait *wait)
{
	return wait->kind == KIND_NONE ? NULL : object_get(names, wait->kind, wait->handle, 0, wait->target);
}

const char *object_name(struct names *names, struct object *object)
{
	const struct report *report = names->report;
	if (object->named)
		return object->name;
	object->named = true;
	const char *name = "";
	if (kind_handle_sort(object->kind) == HANDLE_ADDRESS && object->kind != KIND_THREAD) {
		const struct rec_object *known = view_object_find(report->view, object->handle, object->kind);
		if (known)
			object->created_stack = known->created_stack;
		else
			known = view_object_find(report->view, object->handle, KIND_NONE);
		if (known)
			name = view_text(report->view, known->name);
	}
	if (!*name)
		name = view_text(report->view, object->text);
	if (*name) {
		object->name = name;
		object->quoted = true;
	} else if (kind_handle_sort(object->kind) == HANDLE_ADDRESS && object->kind != KIND_THREAD) {
		if (!place_name(names, object->place, &object->name, &object->where))
			object->name = report->symbolizer->data(report->symbolizer, report->view,
								object->handle, names->arena);
	}
	return object->name;
}

/* `mutex 0x55d0`, with where it was made where that is known. */
static const char *address_text(struct names *names, const struct object *object, enum object_detail detail)
{
	const char *noun = kind_words[object->kind].one;
	if (object->where && detail != OBJECT_BRIEF)
		return names_format(names, "%s 0x%lx (%s)", noun, object->handle, object->where);
	const struct frame *frame =
	    detail == OBJECT_BRIEF ? NULL : names_own_frame(names, object->created_stack);
	if (!frame)
		return names_format(names, "%s 0x%lx", noun, object->handle);
	const char *maker = names_short_function(names, frame);
	if (!frame->file)
		return names_format(names, "%s 0x%lx (made in %s)", noun, object->handle, maker);
	return names_format(names, "%s 0x%lx (made in %s %s:%u)", noun, object->handle, maker,
			    path_base(frame->file), frame->line);
}

const char *object_text(struct names *names, struct object *object, enum object_detail detail)
{
	if (!object)
		return "nothing in particular";
	if (object->target)
		return names_thread(names, object->target, NULL);
	const char *noun = kind_words[object->kind].one;
	const char *name = object_name(names, object);
	if (name && object->quoted)
		return names_format(names, "%s \"%s\"", noun, name);
	if (name) {
		const char *end = detail == OBJECT_FULL ? NULL : strstr(name, " (");
		size_t length = end ? (size_t)(end - name) : strlen(name);
		return names_format(names, "%s %.*s", noun, (int)MIN_OF(length, 400), name);
	}
	if (kind_handle_sort(object->kind) == HANDLE_ADDRESS)
		return address_text(names, object, detail);
	return names_format(names, "%s %lld", noun, (long long)object->handle);
}

const char *object_state_text(struct names *names, const struct object *object)
{
	const struct report *report = names->report;
	if (object->kind != KIND_BARRIER || !object->waiter_count)
		return "";
	const struct rec_object *known = view_object_find(report->view, object->handle, object->kind);
	/* Where all have come they are just about to go on. */
	if (!known || known->value <= object->waiter_count)
		return "";
	return names_format(names, " (%u of %u have come)", (unsigned)object->waiter_count, known->value);
}

const char *object_id(struct names *names, const struct object *object)
{
	return names_format(names, "%s:%u", kind_words[object->kind].prefix,
			    object->target ? object->target : object->number);
}

/* -- what the snapshot says of them ------------------------------------------ */

static void find_place(struct names *names, struct object *object, nsec_t since)
{
	if (object && !object->place && kind_handle_sort(object->kind) == HANDLE_ADDRESS)
		object->place = view_place_find(names->report->view, object->handle, since);
}

static void add_holder(struct names *names, struct object *object, thread_id thread,
		       const struct rec_hold *hold, const struct rec_wait *wait)
{
	struct holder *holder = object ? arena_alloc(names->arena, sizeof(*holder)) : NULL;
	if (!holder)
		return;
	*holder = (struct holder){ .thread = thread, .hold = hold, .wait = wait };
	struct holder ***last = hold ? &object->last_holder : &object->last_waiter;
	**last = holder;
	*last = &holder->next;
	*(hold ? &object->holder_count : &object->waiter_count) += 1;
}

/* The place of a thread in the snapshot; UINT32_MAX: not there. */
static uint32_t thread_index(const struct snapshot *snapshot, thread_id id)
{
	const struct snap_thread *thread = snapshot_thread(snapshot, id);
	return thread ? (uint32_t)(thread - snapshot->threads) : UINT32_MAX;
}

/* Sorts the resources by owner, by counting; those whose owner is gone are left out. */
static int collect_resources(struct names *names)
{
	const struct snapshot *snapshot = names->report->snapshot;
	uint32_t *starts = arena_array(names->arena, (size_t)snapshot->thread_count + 2, sizeof(*starts));
	const struct rec_hold **sorted =
	    arena_array(names->arena, (size_t)snapshot->resource_count + 1, sizeof(*sorted));
	if (!starts || !sorted)
		return -ENOMEM;
	/* First starts[i + 2] counts those of thread i; summed up, starts[i + 1] is where the next of them goes. */
	for (uint32_t i = 0; i < snapshot->resource_count; i++) {
		uint32_t index = thread_index(snapshot, snapshot->resources[i].owner);
		if (index != UINT32_MAX)
			starts[index + 2]++;
	}
	for (uint32_t i = 2; i < snapshot->thread_count + 2; i++)
		starts[i] += starts[i - 1];
	for (uint32_t i = 0; i < snapshot->resource_count; i++) {
		uint32_t index = thread_index(snapshot, snapshot->resources[i].owner);
		if (index != UINT32_MAX)
			sorted[starts[index + 1]++] = &snapshot->resources[i];
	}
	names->resources = sorted;
	names->resource_starts = starts;
	return 0;
}

const struct rec_hold **thread_resources(const struct names *names, uint32_t index, uint32_t *ret_count)
{
	*ret_count = names->resource_starts[index + 1] - names->resource_starts[index];
	return names->resources + names->resource_starts[index];
}

int objects_collect(struct names *names)
{
	const struct snapshot *snapshot = names->report->snapshot;
	for (uint32_t i = 0; i < snapshot->thread_count; i++) {
		const struct snap_thread *thread = &snapshot->threads[i];
		for (uint32_t h = 0; h < thread->hold_count; h++) {
			const struct rec_hold *hold = &thread->holds[h];
			struct object *object = object_of_hold(names, hold);
			find_place(names, object, hold->since);
			if (hold->state == HOLD_LIVE)
				add_holder(names, object, thread->id, hold, NULL);
		}
		if (!thread->waiting)
			continue;
		struct object *object = object_of_wait(names, &thread->wait);
		find_place(names, object, thread->wait.since);
		add_holder(names, object, thread->id, NULL, &thread->wait);
	}
	for (uint32_t i = 0; i < snapshot->resource_count; i++) {
		const struct rec_hold *hold = &snapshot->resources[i];
		add_holder(names, object_of_hold(names, hold), hold->owner, hold, NULL);
	}
	return collect_resources(names);
}
