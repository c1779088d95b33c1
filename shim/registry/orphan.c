#include "registry/orphan.h"

#include <string.h>

#include "registry/recording.h"
#include "registry/thread.h"
#include "stack/depot.h"
#include "stack/unwind.h"

/* Chosen somewhat arbitrarily: whoever forks with more than these locked has one of them in the way soon. */
#define ORPHANS_MOST 64u
#define ORPHAN_FRAMES 48u

struct frames {
	uint32_t count, flags;
	uint64_t pc[ORPHAN_FRAMES]; /* the innermost first */
};

struct orphan {
	uint64_t handle;
	nsec_t since;
	thread_id thread; /* in the parent */
	int32_t tid;
	uint16_t op;
	uint8_t kind, mode;
	char name[REC_NAME_BYTES];
	struct frames stack;
};

static struct orphan orphans[ORPHANS_MOST];
static uint32_t orphan_count;
static struct frames forked_at;

static void keep_frames(struct frames *frames, stack_id id)
{
	const struct rec_stack *stack = view_stack(recording_view(), id);
	frames->count = stack ? MIN_OF(stack->count, ORPHAN_FRAMES) : 0;
	if (!stack)
		return;
	frames->flags = stack->flags | (stack->count > ORPHAN_FRAMES ? STACK_TRUNCATED : 0);
	memcpy(frames->pc, stack->frames, frames->count * sizeof frames->pc[0]);
}

static stack_id enter(const struct frames *frames)
{
	struct unwind_frame outermost_first[ORPHAN_FRAMES];
	if (!frames->count)
		return 0;
	for (uint32_t i = 0; i < frames->count; i++)
		outermost_first[i] = (struct unwind_frame){ .pc = frames->pc[frames->count - 1 - i] };
	return depot_put(outermost_first, frames->count, (uint16_t)frames->flags,
			 depot_hash_all(outermost_first, frames->count));
}

static void keep(const struct rec_thread *slot, const struct rec_hold *hold)
{
	struct orphan *orphan = &orphans[orphan_count++];
	*orphan = (struct orphan){
		.handle = hold->handle,
		.since = hold->since,
		.thread = slot->id,
		.tid = slot->tid,
		.op = hold->op,
		.kind = hold->kind,
		.mode = hold->mode,
	};
	memcpy(orphan->name, slot->name, sizeof orphan->name - 1);
	keep_frames(&orphan->stack, hold->stack);
}

/*
 * The parent goes on meanwhile, so what is read here may be torn or late; the lock's own word, as the child
 * has it, will have to agree.
 */
void orphans_collect(stack_id forked)
{
	const struct view *view = recording_view();
	uint32_t slots = view_thread_slots(view);
	orphan_count = 0;
	keep_frames(&forked_at, forked);
	for (uint32_t s = 0; s < slots; s++) {
		const struct rec_thread *slot = view_thread(view, s);
		uint32_t holds = MIN_OF(slot->hold_count, REC_SLOT_HOLDS);
		if (slot == self.slot || slot->state == THREAD_FREE)
			continue;
		for (uint32_t i = 0; i < holds && orphan_count < ORPHANS_MOST; i++)
			if (slot->holds[i].state == HOLD_LIVE &&
			    kind_has(slot->holds[i].kind, KIND_IS_BLOCKS | KIND_IS_THREAD))
				keep(slot, &slot->holds[i]);
	}
}

struct rec_misuse_part orphan_part(enum kind kind, uint64_t handle, int32_t tid)
{
	for (uint32_t i = 0; i < orphan_count; i++) {
		const struct orphan *orphan = &orphans[i];
		if (orphan->handle == handle && orphan->kind == kind && (!tid || orphan->tid == tid))
			return (struct rec_misuse_part){
				.at = orphan->since,
				.stack = enter(&orphan->stack),
				.thread_name = recording_text(orphan->name),
				.op = orphan->op,
				.mode = orphan->mode,
				.object_kind = (uint8_t)kind,
				.handle = handle,
			};
	}
	return (struct rec_misuse_part){ 0 };
}

uint32_t orphan_holders(enum kind kind, uint64_t handle)
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < orphan_count; i++)
		count += orphans[i].handle == handle && orphans[i].kind == kind;
	return count;
}

struct rec_misuse_part orphan_forked(void)
{
	return (struct rec_misuse_part){ .at = recording->started_mono,
					 .stack = enter(&forked_at),
					 .op = OP_fork };
}
