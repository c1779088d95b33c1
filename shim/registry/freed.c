#include "registry/freed.h"

#include <string.h>

#include "platform/sys.h"
#include "registry/thread.h"
#include "stack/depot.h"
#include "stack/scratch.h"
#include "stack/stack.h"
#include "stack/unwind.h"

/* Chosen somewhat arbitrarily. Past so many captures a program is not a small one, however many threads it starts. */
#define FIRST_FREES 256u
#define CAPTURES_MOST 16384u

static struct first_free {
	uint64_t address;
	nsec_t at;
	stack_id stack;
	site_id site;
	thread_id thread;
} first_frees[FIRST_FREES];
static uint32_t captures;

static struct first_free *first_free(uint64_t address)
{
	return &first_frees[(address >> 5) % FIRST_FREES];
}

/* As one that interrupts another: the thread's last stack, by which allocations are quick, stays what it is. */
static stack_id capture_aside(const void *frame)
{
	uint32_t level;
	const struct scratch *scratch = scratch_take((uintptr_t)frame + 16, &level); /* from further out */
	stack_id stack = stack_capture(frame);
	if (scratch)
		scratch_release(level);
	return stack;
}

void freed_note_other(uint64_t address, site_id site, const void *frame)
{
	struct first_free *first = first_free(address);
	if (self.cells) {
		if (first->address == address)
			first->address = 0;
		freed_note(self.cells, address, ((void *const *)frame)[1]);
		return;
	}
	if (captures >= CAPTURES_MOST || !recording)
		return;
	__atomic_fetch_add(&captures, 1, __ATOMIC_RELAXED);
	first->address = 0;
	first->at = sys_monotonic_coarse();
	first->stack = capture_aside(frame);
	first->site = site;
	first->thread = self.slot ? self.slot->id : 0;
	__atomic_store_n(&first->address, address, __ATOMIC_RELEASE);
}

/* All that is left of its stack is the innermost frame. */
static stack_id stack_of_caller(uint64_t caller)
{
	struct unwind_frame frame = { .pc = caller };
	return depot_put(&frame, 1, STACK_TRUNCATED, depot_hash_all(&frame, 1));
}

static void name_thread(struct rec_misuse_part *part)
{
	const struct view *view = recording_view();
	uint32_t slots = view_thread_slots(view);
	for (uint32_t i = 0; i < slots; i++)
		if (view_thread(view, i)->id == part->thread)
			part->thread_name = recording_text(view_thread(view, i)->name);
}

bool freed_find(uint64_t address, site_id site, struct rec_misuse_part *ret_part)
{
	*ret_part = (struct rec_misuse_part){ .op = OP_none };
	const struct first_free *first = first_free(address);
	const struct rec_cells *cells = recording_table(REC_CELLS);
	uint64_t count = view_used(recording_view(), REC_CELLS) / sizeof *cells;
	for (uint64_t i = 0; i < count && !ret_part->stack; i++) {
		const struct rec_freed *freed = &cells[i].freed[freed_place(address)];
		if (atomic_load_explicit(&freed->address, memory_order_acquire) != address)
			continue;
		ret_part->stack = stack_of_caller(atomic_load_explicit(&freed->caller, memory_order_relaxed));
		ret_part->thread = cells[i].owner;
	}
	/* What cells have forgotten by now may have come after it: it is of the same place in the program at the least. */
	if (!ret_part->stack && __atomic_load_n(&first->address, __ATOMIC_ACQUIRE) == address &&
	    first->site == site) {
		ret_part->stack = first->stack;
		ret_part->thread = first->thread;
		ret_part->at = first->at;
	}
	name_thread(ret_part);
	return ret_part->stack;
}

void freed_fork_child(void)
{
	memset(first_frees, 0, sizeof first_frees);
	captures = 0;
}
