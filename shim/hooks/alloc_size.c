#include "hooks/alloc_size.h"

#include <errno.h>

#include "hooks/hook.h"
#include "registry/misuse.h"
#include "registry/recording.h"
#include "registry/view.h"
#include "start.h"

/* More than an address space holds. Less than that a machine may have some day, and a program may find out. */
#define SIZE_NONSENSE ((size_t)1 << 47)

/*
 * How many blocks the process has made so far: by that it is known later how much else it has done. A long look
 * at every thread, for what hardly ever happens.
 */
static uint64_t blocks_made(void)
{
	uint64_t made = __atomic_load_n((uint64_t *)&recording->total_blocks, __ATOMIC_RELAXED);
	const struct view *view = recording_view();
	for (uint32_t i = 0; i < view_thread_slots(view); i++)
		made += amount_blocks(
		    __atomic_load_n((const uint64_t *)&view_thread(view, i)->made, __ATOMIC_RELAXED));
	return made;
}

static void note(enum misuse_size what, uint64_t amount, uint64_t other, enum op op, const void *frame)
{
	/* Between the hook and this nothing of ours is under way: what an allocator does inside counts as its caller's. */
	if (!recording || !(hook_groups & HOOK_ALLOC) || self.guest || self.busy % HOOK_IN_ALLOCATOR)
		return;
	int kept_errno = errno;
	struct rec_misuse misuse = {
		.kind = MISUSE_bad_size,
		.flags = (uint16_t)what,
		.handle = other,
		.amount = amount,
		.parts = { misuse_now(stack_capture(frame), op) },
	};
	misuse.parts[1].serial = (uint32_t)blocks_made();
	bool is_new = misuse_note(&misuse);
	if (is_new && what == MISUSE_ROUNDED)
		start_misuse_noted(false);
	else if (is_new)
		start_want_exit_status();
	errno = kept_errno;
}

void alloc_size_refused(size_t size, enum op op, const void *frame)
{
	if (size >= SIZE_NONSENSE)
		note(MISUSE_SIZE, size, 0, op, frame);
}

void alloc_size_product_refused(size_t count, size_t size, enum op op, const void *frame)
{
	size_t bytes;
	if (__builtin_mul_overflow(count, size, &bytes))
		note(MISUSE_PRODUCT, count, size, op, frame);
	else
		alloc_size_refused(bytes, op, frame);
}

/* posix_memalign alone asks for a multiple of a pointer's size, too. */
static bool is_alignment(size_t alignment, enum op op)
{
	bool power = alignment && !(alignment & (alignment - 1));
	return power && (op != OP_posix_memalign || alignment % sizeof(void *) == 0);
}

void alloc_size_aligned_other(bool refused, size_t alignment, size_t size, enum op op, const void *frame)
{
	/* memalign is as old as that libraries rely on it, and tests ask for it; C11 knows aligned_alloc. */
	if (!refused && op != OP_memalign)
		note(MISUSE_ROUNDED, alignment, size, op, frame);
	else if (!is_alignment(alignment, op))
		note(MISUSE_ALIGNMENT, alignment, size, op, frame);
	else
		alloc_size_refused(size, op, frame);
}
