/*
 * What programs tell us through whoholds.h. Each function is there twice: by its
 * name, for languages that look functions up at run time, and in the table that
 * the header finds through one weak symbol.
 */
#define WH_IN_LIBRARY
#include "whoholds.h"

#include <limits.h>

#include "base/text.h"
#include "hooks/hook.h"
#include "platform/sys.h"
#include "registry/allocation.h"
#include "registry/misuse.h"
#include "registry/object.h"
#include "registry/pool.h"
#include "registry/recording.h"
#include "registry/release.h"
#include "start.h"

/* In the order of the table. */
void wh_iter_open(const void *container, const void *iterator, const char *name);
void wh_iter_close(const void *iterator);
void wh_container_changing(const void *container);
void wh_iter_changing(const void *iterator);
void wh_acquired_from(const void *pool, const char *kind, const void *handle, const char *name);
void wh_acquired(const char *kind, const void *handle, const char *name);
void wh_released(const char *kind, const void *handle);
void wh_wait_begin(const void *object, const char *name);
void wh_wait_end(const void *object);
void wh_lock_acquired(const void *lock, int shared);
void wh_lock_released(const void *lock);
void wh_name(const void *object, const char *name);
void wh_pool_alloc(const void *block, size_t size);
void wh_pool_free(const void *block);
void wh_pool_reset(const void *memory, size_t size);
int wh_active(void);
wh_mark wh_now(void);
size_t wh_live_bytes_since(wh_mark mark);
size_t wh_lost_bytes_since(wh_mark mark);
int wh_open_since(wh_mark mark);
void wh_report(const char *why);

/* -- iterators and other resources ----------------------------------------- */

EXPORT void wh_iter_open(const void *container, const void *iterator, const char *name)
{
	HOOK(hook, PAIR);
	if (hook.track)
		resource_begin(KIND_ITERATOR, (uintptr_t)iterator, OP_wh_iter_open, hook_stack(&hook),
			       (uintptr_t)container, name);
}

EXPORT void wh_iter_close(const void *iterator)
{
	HOOK(hook, PAIR);
	if (!hook.track)
		return;
	struct resource what = {
		.kind = KIND_ITERATOR,
		.op = OP_wh_iter_close,
		.stack = hook_stack(&hook),
		.handle = (uintptr_t)iterator,
	};
	release_begin(&what);
}

/* More iterators of one container than these are told of by the first ones. */
#define CHANGED_MOST 8u

/* Each iterator that is open on `container`, save `but`, is one whose ground is being changed. */
static void container_changes(struct hook *hook, uint64_t container, uint64_t but)
{
	struct rec_hold open[CHANGED_MOST];
	uint32_t count = resource_find_of(container, open, CHANGED_MOST);
	for (uint32_t i = 0; i < count; i++) {
		if (!kind_has(open[i].kind, KIND_IS_ITERATES) || open[i].handle == but)
			continue;
		struct rec_misuse misuse = {
			.kind = MISUSE_iterator_mutation,
			.object_kind = open[i].kind,
			.handle = open[i].handle,
			.name = open[i].name,
			.parts = { misuse_now(hook_stack(hook), OP_wh_container_changing),
				   misuse_hold(&open[i]) },
		};
		misuse_note(&misuse);
	}
}

EXPORT void wh_container_changing(const void *container)
{
	HOOK(hook, PAIR);
	if (hook.track && container && resource_may_be_of((uintptr_t)container))
		container_changes(&hook, (uintptr_t)container, 0);
}

EXPORT void wh_iter_changing(const void *iterator)
{
	HOOK(hook, PAIR);
	struct resource what = { .kind = KIND_ITERATOR, .handle = (uintptr_t)iterator };
	struct rec_hold open;
	if (hook.track && resource_find(&what, &open) && open.container)
		container_changes(&hook, open.container, open.handle);
}

static void acquired(struct hook *hook, const void *pool, const char *kind, const void *handle,
		     const char *name)
{
	char buffer[128];
	struct text text = TEXT_OF(buffer);
	text_put(&text, kind ? kind : "resource");
	if (name) {
		text_put(&text, " ");
		text_put(&text, name);
	}
	struct resource what = {
		.kind = KIND_RESOURCE,
		.op = OP_wh_acquired,
		.stack = hook_stack(hook),
		.sort = recording_text(kind),
		.handle = (uintptr_t)handle,
		.container = (uintptr_t)pool,
		.name = buffer,
	};
	resource_acquired(&what);
}

EXPORT void wh_acquired_from(const void *pool, const char *kind, const void *handle, const char *name)
{
	HOOK(hook, PAIR);
	if (hook.track)
		acquired(&hook, pool, kind, handle, name);
}

EXPORT void wh_acquired(const char *kind, const void *handle, const char *name)
{
	HOOK(hook, PAIR);
	if (hook.track)
		acquired(&hook, NULL, kind, handle, name);
}

EXPORT void wh_released(const char *kind, const void *handle)
{
	HOOK(hook, PAIR);
	if (!hook.track)
		return;
	struct resource what = {
		.kind = KIND_RESOURCE,
		.op = OP_wh_released,
		.stack = hook_stack(&hook),
		.sort = recording_text(kind),
		.handle = (uintptr_t)handle,
		.name = kind,
	};
	release_begin(&what);
}

/* -- locks and waits ------------------------------------------------------- */

EXPORT void wh_wait_begin(const void *object, const char *name)
{
	HOOK(hook, LOCK);
	if (!hook.track)
		return;
	if (name)
		object_named((uintptr_t)object, name);
	hook_wait(&hook, KIND_WAIT, (uintptr_t)object, MODE_NONE, OP_wh_wait_begin);
	hook.waiting = false; /* it outlives this call: wh_wait_end */
}

EXPORT void wh_wait_end(const void *object)
{
	HOOK(hook, LOCK);
	if (!hook.track)
		return;
	/* One that was not begun must not end a wait of another kind. */
	const struct rec_thread *slot = thread_slot();
	uint32_t depth = slot ? slot->wait_depth : 0;
	if (depth && depth <= REC_SLOT_WAITS && slot->waits[depth - 1].kind == KIND_WAIT &&
	    slot->waits[depth - 1].handle == (uintptr_t)object)
		wait_end();
}

EXPORT void wh_lock_acquired(const void *lock, int shared)
{
	HOOK(hook, LOCK);
	if (hook.track)
		hold_begin(KIND_LOCK, (uintptr_t)lock, shared ? MODE_SHARED : MODE_EXCLUSIVE,
			   OP_wh_lock_acquired, hook_stack(&hook));
}

EXPORT void wh_lock_released(const void *lock)
{
	HOOK(hook, LOCK);
	if (hook.track)
		hold_end(KIND_LOCK, (uintptr_t)lock, NULL);
}

EXPORT void wh_name(const void *object, const char *name)
{
	HOOK(hook, PROCESS);
	if (hook.track && name)
		object_named((uintptr_t)object, name);
}

/* -- pools ------------------------------------------------------------------ */

/* As for malloc and free, also where the thread is past its end for all others. */
static bool pool_told(const struct hook *hook)
{
	if (hook->track)
		return true;
	if (self.busy)
		pool_missed();
	return self.ended && !self.busy && !self.guest && hook_groups & HOOK_ALLOC;
}

EXPORT void wh_pool_alloc(const void *block, size_t size)
{
	HOOK(hook, ALLOC);
	uint64_t hidden = allocation_hide(block);
	/* Of a sample of the heap it could not be said what leads to a block of a pool. */
	if (!block || !pool_told(&hook) || !allocation_exact())
		return;
	stack_id stack = hook_stack(&hook);
	self.busy++;
	pool_begin(hidden, size, stack);
	self.busy--;
}

static void note_freed_again(uint64_t block, stack_id stack, const struct pool_freed *before)
{
	const struct rec_site *site = before->site ? view_site(recording_view(), before->site) : NULL;
	struct rec_misuse misuse = {
		.kind = MISUSE_double_free,
		.handle = block,
		.parts = { misuse_now(stack, OP_wh_pool_free),
			   { .stack = before->stack, .thread = before->thread },
			   { .stack = site ? site->stack : 0, .thread = before->made_by } },
	};
	if (misuse_note(&misuse))
		start_misuse_noted(true);
}

EXPORT void wh_pool_free(const void *block)
{
	HOOK(hook, ALLOC);
	if (!block || !pool_told(&hook) || !pool_any())
		return;
	struct pool_freed before;
	stack_id stack = hook_stack(&hook);
	self.busy++;
	enum pool_was was = pool_end((uintptr_t)block, stack, &before);
	self.busy--;
	if (was == POOL_FREED)
		note_freed_again((uintptr_t)block, stack, &before);
}

EXPORT void wh_pool_reset(const void *memory, size_t size)
{
	HOOK(hook, ALLOC);
	if (!pool_told(&hook))
		return;
	self.busy++;
	pool_clear((uintptr_t)memory, size);
	self.busy--;
}

/* -- assertions for tests -------------------------------------------------- */

EXPORT int wh_active(void)
{
	return 1;
}

/* A mark is the beginning of an era: what is made from here on bears its number or a later one. */
EXPORT wh_mark wh_now(void)
{
	HOOK(hook, PROCESS);
	if (!hook.track)
		return (wh_mark){ 0 };
	return (wh_mark){ .at = __atomic_add_fetch((uint32_t *)&recording->era, 1, __ATOMIC_SEQ_CST) };
}

struct live_sum {
	uint64_t from; /* era */
	uint64_t bytes;
};

static bool live_add(const struct allocation *allocation, void *data)
{
	struct live_sum *sum = data;
	/* The memory of a pool counts by what was handed out of it. */
	if (allocation->born >= sum->from && !(allocation->flags & ALLOCATION_POOL))
		sum->bytes += allocation->size;
	return true;
}

EXPORT size_t wh_live_bytes_since(wh_mark mark)
{
	HOOK(hook, PROCESS);
	if (!hook.track || !mark.at)
		return 0;
	struct live_sum sum = { .from = mark.at };
	allocation_each(live_add, &sum);
	pool_each(live_add, &sum);
	return sum.bytes;
}

EXPORT size_t wh_lost_bytes_since(wh_mark mark)
{
	HOOK(hook, PROCESS);
	return hook.track && mark.at ? start_lost_since((uint32_t)mark.at, hook.frame) : 0;
}

/* Whether thread `id` is `maker` or was made by it, or by one that it made. */
static bool made_by(thread_id id, thread_id maker)
{
	while (id > maker) {
		thread_id creator = thread_creator(id);
		id = creator < id ? creator : 0;
	}
	return id == maker;
}

static bool counts_as_open(const struct rec_hold *hold, uint64_t since)
{
	return hold->state == HOLD_LIVE && hold->era >= since &&
	       kind_traits(hold->kind) & (KIND_IS_OWNED | KIND_IS_RESOURCE);
}

EXPORT int wh_open_since(wh_mark mark)
{
	HOOK(hook, PROCESS);
	const struct rec_thread *own = hook.track ? thread_slot() : NULL;
	if (!own)
		return 0;
	const struct view *view = recording_view();
	uint32_t slots = view_thread_slots(view),
		 resources = (uint32_t)(view_used(view, REC_RESOURCES) / sizeof(struct rec_hold));
	int open = 0;

	for (uint32_t i = 0; i < slots; i++) {
		const struct rec_thread *slot = view_thread(view, i);
		if (!slot || slot->state == THREAD_FREE || !made_by(slot->id, own->id))
			continue;
		for (uint32_t at = 0; at < MIN_OF(slot->hold_count, REC_SLOT_HOLDS); at++)
			open += counts_as_open(&slot->holds[at], mark.at);
	}
	for (uint32_t i = 0; i < resources && open < INT_MAX; i++) {
		const struct rec_hold *hold = view_resource(view, i);
		open += hold && counts_as_open(hold, mark.at) && made_by(hold->owner, own->id);
	}
	return open;
}

EXPORT void wh_report(const char *why)
{
	HOOK(hook, PROCESS);
	if (hook.track)
		start_report_now(why ? why : "wh_report");
}

EXPORT const struct wh_library wh_library = {
	.bytes = sizeof(struct wh_library),
	.iter_open = wh_iter_open,
	.iter_close = wh_iter_close,
	.acquired = wh_acquired,
	.released = wh_released,
	.wait_begin = wh_wait_begin,
	.wait_end = wh_wait_end,
	.lock_acquired = wh_lock_acquired,
	.lock_released = wh_lock_released,
	.name = wh_name,
	.now = wh_now,
	.live_bytes_since = wh_live_bytes_since,
	.open_since = wh_open_since,
	.report = wh_report,
	.container_changing = wh_container_changing,
	.iter_changing = wh_iter_changing,
	.acquired_from = wh_acquired_from,
	.lost_bytes_since = wh_lost_bytes_since,
	.pool_alloc = wh_pool_alloc,
	.pool_free = wh_pool_free,
	.pool_reset = wh_pool_reset,
};
