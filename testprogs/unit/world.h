/*
 * A world built by hand for tests of detectors: threads, what they hold and what
 * they wait for, as a snapshot would show it, with a look at it by the real
 * detectors. No threads, no sleeps: ages are numbers.
 */
#ifndef TEST_WORLD_H
#define TEST_WORLD_H

#include <stdlib.h>
#include <string.h>

#include "reporter/detect/detect.h"

#include "suite.h"

#define WORLD_THREADS 1100u
#define WORLD_HOLDS 64u
#define WORLD_RESOURCES 64u
#define WORLD_OBJECTS 64u
#define WORLD_SITES 16u
#define WORLD_NOW (1000 * NSEC_PER_SEC)
#define MS NSEC_PER_MSEC
#define SEC NSEC_PER_SEC
#define UNUSED __attribute__((unused))

struct world {
	struct snapshot snapshot;
	struct view view;
	struct rec_header header;
	struct limits limits;
	struct arena arena;
	struct finding_list found; /* of the last look */
	struct snap_thread threads[WORLD_THREADS];
	struct rec_hold holds[WORLD_THREADS][WORLD_HOLDS];
	uint32_t serials[WORLD_THREADS];
	struct rec_hold resources[WORLD_RESOURCES];
	struct rec_object objects[WORLD_OBJECTS];
	struct rec_site sites[WORLD_SITES];
	struct rec_point series[REC_SERIES_COUNT];
	uint32_t object_count;
};

UNUSED static void *world_pages(size_t bytes)
{
	return calloc(1, bytes);
}

UNUSED static void world_pages_free(void *memory, size_t bytes)
{
	(void)bytes;
	free(memory);
}

/* An empty world, all limits 10 s, idle_blocked off. */
UNUSED static struct world *world_make(void)
{
	struct world *world = calloc(1, sizeof(*world));
	if (!world)
		abort();
	world->arena.more = world_pages;
	world->arena.less = world_pages_free;
	world->limits.blocked = world->limits.held = world->limits.iterating = 10 * SEC;
	world->header.state = REC_RUNNING;
	world->header.started_mono = 1;
	world->view.header = &world->header;
	world->view.live = true;
	world->view.tables[REC_OBJECTS] = world->objects;
	world->view.tables[REC_SITES] = world->sites;
	world->view.tables[REC_SERIES] = world->series;
	for (int i = 0; i < REC_TABLES; i++)
		world->header.tables[i].capacity = UINT32_MAX;
	world->snapshot.view = &world->view;
	world->snapshot.now = WORLD_NOW;
	world->snapshot.threads = world->threads;
	world->snapshot.resources = world->resources;
	return world;
}

UNUSED static void world_free(struct world *world)
{
	arena_release(&world->arena);
	free(world);
}

/* The next thread: ids count up from 1, the first is the main thread. */
UNUSED static struct snap_thread *world_thread(struct world *world)
{
	uint32_t index = world->snapshot.thread_count++;
	struct snap_thread *thread = &world->threads[index];
	thread->id = index + 1;
	thread->tid = 4000 + (int32_t)index;
	thread->state = THREAD_RUNNING;
	thread->flags = index ? 0 : THREAD_MAIN;
	thread->started = 1;
	thread->holds = world->holds[index];
	memcpy(thread->name, index ? "worker" : "main", index ? sizeof("worker") : sizeof("main"));
	return thread;
}

UNUSED static uint32_t world_serial(struct world *world, const struct snap_thread *thread)
{
	return ++world->serials[thread->id - 1];
}

/* `thread` has held `handle` for `age`. */
UNUSED static struct rec_hold *world_hold(struct world *world, struct snap_thread *thread, enum kind kind,
					  uint64_t handle, enum mode mode, nsec_t age)
{
	struct rec_hold *hold = &thread->holds[thread->hold_count++];
	hold->handle = handle;
	hold->since = world->snapshot.now - age;
	hold->stack = (stack_id)(1000 + thread->id);
	hold->count = 1;
	hold->owner = thread->id;
	hold->serial = world_serial(world, thread);
	hold->kind = (uint8_t)kind;
	hold->mode = (uint8_t)mode;
	hold->state = HOLD_LIVE;
	return hold;
}

/* `thread` has waited for `handle` for `age`. */
UNUSED static struct rec_wait *world_wait(struct world *world, struct snap_thread *thread, enum kind kind,
					  uint64_t handle, enum mode mode, nsec_t age)
{
	thread->waiting = true;
	thread->wait = (struct rec_wait){
		.handle = handle,
		.since = world->snapshot.now - age,
		.stack = (stack_id)(2000 + thread->id),
		.serial = world_serial(world, thread),
		.kind = (uint8_t)kind,
		.mode = (uint8_t)mode,
	};
	return &thread->wait;
}

UNUSED static struct rec_hold *world_mutex(struct world *world, struct snap_thread *thread, uint64_t handle,
					   nsec_t age)
{
	return world_hold(world, thread, KIND_MUTEX, handle, MODE_EXCLUSIVE, age);
}

UNUSED static struct rec_wait *world_wants(struct world *world, struct snap_thread *thread, uint64_t handle,
					   nsec_t age)
{
	return world_wait(world, thread, KIND_MUTEX, handle, MODE_EXCLUSIVE, age);
}

UNUSED static struct rec_wait *world_join(struct world *world, struct snap_thread *thread,
					  const struct snap_thread *target, nsec_t age)
{
	struct rec_wait *wait = world_wait(world, thread, KIND_THREAD, 0x7f0000 + target->id, MODE_NONE, age);
	wait->target = target->id;
	return wait;
}

/* `thread` waits in a condition variable, with its (already recorded) hold of `mutex` parked. */
UNUSED static struct rec_wait *world_cond(struct world *world, struct snap_thread *thread, uint64_t mutex,
					  nsec_t age)
{
	struct rec_hold *hold = world_mutex(world, thread, mutex, age);
	hold->state = HOLD_PARKED;
	struct rec_wait *wait = world_wait(world, thread, KIND_COND, 0xc0000 + mutex, MODE_NONE, age);
	wait->handle2 = mutex;
	return wait;
}

UNUSED static struct rec_hold *world_iterator(struct world *world, const struct snap_thread *thread,
					      enum kind kind, stack_id stack, nsec_t age)
{
	struct rec_hold *hold = &world->resources[world->snapshot.resource_count++];
	hold->handle = 0x17e0 + world->snapshot.resource_count;
	hold->since = world->snapshot.now - age;
	hold->stack = stack;
	hold->count = 1;
	hold->owner = thread->id;
	hold->serial = world_serial(world, thread);
	hold->kind = (uint8_t)kind;
	hold->state = HOLD_LIVE;
	return hold;
}

UNUSED static struct rec_object *world_object(struct world *world, enum kind kind, uint64_t address,
					      unsigned attributes)
{
	struct rec_object *object = &world->objects[world->object_count++];
	object->address = address;
	object->kind = (uint8_t)kind;
	object->state = 1;
	object->attributes = (uint16_t)attributes;
	world->header.tables[REC_OBJECTS].used = world->object_count * sizeof(*object);
	return object;
}

UNUSED static void world_point(struct world *world, nsec_t at, uint64_t live_bytes, uint32_t threads)
{
	uint64_t number = world->header.tables[REC_SERIES].used / sizeof(struct rec_point);
	world->series[number % REC_SERIES_COUNT] =
	    (struct rec_point){ .at = at, .live_bytes = live_bytes, .threads = threads };
	world->header.tables[REC_SERIES].used = (number + 1) * sizeof(struct rec_point);
}

/* Time goes on. */
UNUSED static void world_pass(struct world *world, nsec_t time)
{
	world->snapshot.now += time;
}

/* Looks with the detectors of a live process. Return: how many findings there are. */
UNUSED static uint32_t world_look(struct world *world)
{
	arena_reset(&world->arena);
	world->found = (struct finding_list){ .arena = &world->arena };
	detect_live(&world->snapshot, &world->limits, &world->found);
	return world->found.count;
}

UNUSED static uint32_t world_end(struct world *world)
{
	arena_reset(&world->arena);
	world->found = (struct finding_list){ .arena = &world->arena };
	detect_end(&world->snapshot, &world->limits, &world->found);
	return world->found.count;
}

UNUSED static uint32_t world_count(const struct world *world, enum finding_kind kind)
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < world->found.count; i++)
		count += world->found.found[i]->kind == kind;
	return count;
}

/* The first finding of that kind; NULL: none. */
UNUSED static const struct finding *world_found(const struct world *world, enum finding_kind kind)
{
	for (uint32_t i = 0; i < world->found.count; i++)
		if (world->found.found[i]->kind == kind)
			return world->found.found[i];
	return NULL;
}

/* The finding's item with that role of that thread (NULL: of any), the `nth` such from 0; NULL: none. */
UNUSED static const struct finding_item *item_of(const struct finding *finding, enum role role,
						 const struct snap_thread *thread, unsigned nth)
{
	for (uint32_t i = 0; finding && i < finding->item_count; i++) {
		const struct finding_item *item = &finding->items[i];
		if (item->role == role && (!thread || item->thread == thread->id) && !nth--)
			return item;
	}
	return NULL;
}

UNUSED static uint32_t items_of(const struct finding *finding, enum role role)
{
	uint32_t count = 0;
	while (item_of(finding, role, NULL, count))
		count++;
	return count;
}

/* Runs one suite, in this process under CK_FORK=no. */
#define WORLD_MAIN(suite) \
	int main(void) \
	{ \
		return suite_run(suite()) != 0; \
	}

#endif
