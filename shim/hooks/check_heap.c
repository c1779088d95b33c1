#include "hooks/check_heap.h"

#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "hooks/allocx.h"
#include "hooks/deep.h"
#include "hooks/hook.h"
#include "hooks/kept.h"
#include "platform/guard.h"
#include "platform/sys.h"
#include "registry/allocation.h"
#include "registry/misuse.h"
#include "stack/memory.h"

extern char __ehdr_start[] __attribute__((visibility("hidden")));
extern char _end[] __attribute__((visibility("hidden")));

/* Larger ones are resized in place, where the kernel moves pages and nobody copies. */
#define COPIED_MOST ((size_t)256 * 1024)
#define SIZE_LIMIT ((size_t)CHECKED_SIZE_MOST)

static struct real_functions below; /* the allocator's own */

/* Whether a block was made since the start of this, and so has a header. */
static bool is_known(const void *block)
{
	struct allocation known;
	site_id site = 0;
	return allocation_find(block, &known) ? known.site : allocation_was_freed(block, &site) && site;
}

/* What is no live block's: it is kept back, there is none at all, or something was written over it. */
static NOINLINE struct checked *header_was(struct checked *header, uint64_t *ret_word)
{
	if (checked_is(header, CHECKED_KEPT))
		return header;
	return is_known(header + 1) && checked_was(header, CHECKED_LIVE, CHECKED_UNKNOWN, ret_word) ? header
												    : NULL;
}

/* The header before a block, and what its word is by right; NULL: it has none of ours. */
static inline struct checked *header_of(const void *block, uint64_t *ret_word)
{
	struct checked *header = (struct checked *)block - 1;
	/* What has none may begin where a mapping does. Where the kernel can't be asked any more an allocator's own word is there. */
	if (UNLIKELY(((uintptr_t)block & (MEMORY_PAGE - 1)) < sizeof *header) && !sys_sandboxed &&
	    !memory_readable((uintptr_t)header))
		return NULL;
	*ret_word = header->word;
	return LIKELY(checked_is(header, CHECKED_LIVE)) ? header : header_was(header, ret_word);
}

/* -- telling ----------------------------------------------------------------- */

/* The frame of the hook that the program called: the first one whose caller is not in this library. */
READS_STACKS static const void *outer_frame(void)
{
	void *const *frame = __builtin_frame_address(0);
	for (unsigned i = 0; i < 16; i++, frame = *frame)
		if ((uintptr_t)frame[1] - (uintptr_t)__ehdr_start >=
		    (uintptr_t)_end - (uintptr_t)__ehdr_start)
			break;
	return frame;
}

/* Where the block was made that was given back and is not the allocator's again: so nothing has come to its place. */
static struct rec_misuse_part part_allocated(const void *block)
{
	site_id site = 0;
	allocation_was_freed(block, &site);
	const struct rec_site *at = site ? view_site(recording_view(), site) : NULL;
	return (struct rec_misuse_part){ .stack = at ? at->stack : 0 };
}

static NOINLINE void note_overrun(struct checked *header, uint64_t size, int64_t offset,
				  const struct rec_misuse_part parts[REC_MISUSE_PARTS])
{
	struct rec_misuse what = {
		.kind = MISUSE_heap_overflow,
		.handle = (uintptr_t)checked_bytes(header),
		.amount = size,
		.offset = (int32_t)MIN_OF(offset, (int64_t)INT32_MAX),
	};
	memcpy(what.parts, parts, sizeof what.parts);
	misuse_note(&what);
}

static struct rec_misuse_part part_freed(const struct kept *block)
{
	return (struct rec_misuse_part){ .at = kept_at(block->time),
					 .stack = block->stack,
					 .thread = block->thread & ~KEPT_WHOLE };
}

static NOINLINE void note_written(const struct kept *block, uint64_t offset)
{
	struct rec_misuse what = {
		.kind = MISUSE_use_after_free,
		.handle = (uintptr_t)checked_bytes(block->header),
		.amount = block->size,
		.offset = (int32_t)offset,
	};
	what.parts[0] = part_freed(block);
	what.parts[1] = part_allocated(checked_bytes(block->header));
	misuse_note(&what);
}

/* Beside a block that had been freed by then: who found it says nothing. */
static NOINLINE void note_overrun_later(const struct kept *block, int64_t offset)
{
	const struct rec_misuse_part parts[REC_MISUSE_PARTS] = { misuse_now(0, OP_none),
								 part_allocated(checked_bytes(block->header)),
								 part_freed(block) };
	note_overrun(block->header, block->size, offset, parts);
}

/* -- looking ------------------------------------------------------------------ */

static NOINLINE void guards_broken(struct checked *header, uint64_t word)
{
	int64_t offset;
	if (!checked_overrun(header, word, &offset))
		return;
	const struct rec_misuse_part parts[REC_MISUSE_PARTS] = {
		misuse_now(stack_capture(outer_frame()), OP_none), part_allocated(checked_bytes(header))
	};
	note_overrun(header, checked_size_in(word), offset, parts);
}

/* The block, whose word is `word` by right, is being given back. */
static inline void look_at_guards(struct checked *header, uint64_t word)
{
	int64_t offset;
	if (UNLIKELY(!checked_is(header, CHECKED_LIVE) ||
		     checked_behind(header, checked_size_in(word), &offset)))
		guards_broken(header, word);
}

static inline void look_at_kept(const struct kept *block, uint64_t word)
{
	int64_t offset;
	uint64_t at = checked_written(block->header, block->size, block->thread & KEPT_WHOLE);
	if (UNLIKELY(at < block->size))
		note_written(block, at);
	else if (UNLIKELY(checked_overrun(block->header, word, &offset)))
		note_overrun_later(block, offset);
}

/* -- making -------------------------------------------------------------------- */

/* Dresses up the block that begins `before` bytes behind `base`. */
static inline void *dress(void *base, size_t before, size_t size)
{
	if (UNLIKELY(!base))
		return NULL;
	struct checked *header = (struct checked *)((char *)base + before) - 1;
	const bool far = header != base;
	if (UNLIKELY(far))
		((void **)header)[-1] = base;
	checked_make(header, size, far);
	return checked_bytes(header);
}

static size_t dressed(size_t before, size_t size)
{
	return before + size + GUARD_BYTES;
}

static void *check_malloc(size_t size)
{
	if (size > SIZE_LIMIT)
		return below.malloc(size);
	return dress(below.malloc(dressed(sizeof(struct checked), size)), sizeof(struct checked), size);
}

static void *check_calloc(size_t count, size_t size)
{
	size_t bytes;
	if (__builtin_mul_overflow(count, size, &bytes) || bytes > SIZE_LIMIT)
		return below.calloc(count, size);
	return dress(below.calloc(1, dressed(sizeof(struct checked), bytes)), sizeof(struct checked), bytes);
}

/* How far behind its base an aligned block begins: `alignment` as the real function rounds it up. */
static size_t room_before(size_t alignment)
{
	size_t room = 2 * sizeof(struct checked);
	while (room < alignment && room < SIZE_LIMIT / 4)
		room *= 2;
	return room;
}

static void *check_memalign(size_t alignment, size_t size)
{
	size_t before = room_before(alignment);
	if (size > SIZE_LIMIT / 2 || before > SIZE_LIMIT / 4)
		return below.memalign(alignment, size);
	return dress(below.memalign(alignment, dressed(before, size)), before, size);
}

static void *check_aligned_alloc(size_t alignment, size_t size)
{
	size_t before = room_before(alignment);
	if (size > SIZE_LIMIT / 2 || before > SIZE_LIMIT / 4)
		return below.aligned_alloc(alignment, size);
	return dress(below.aligned_alloc(alignment, dressed(before, size)), before, size);
}

static int check_posix_memalign(void **ret_block, size_t alignment, size_t size)
{
	size_t before = room_before(alignment);
	if (size > SIZE_LIMIT / 2 || before > SIZE_LIMIT / 4)
		return below.posix_memalign(ret_block, alignment, size);
	void *base = NULL;
	int result = below.posix_memalign(&base, alignment, dressed(before, size));
	if (result == 0)
		*ret_block = dress(base, before, size);
	return result;
}

static void *check_valloc(size_t size)
{
	return check_memalign(MEMORY_PAGE, size);
}

static void *check_pvalloc(size_t size)
{
	if (size > SIZE_LIMIT)
		return below.pvalloc(size);
	return check_memalign(MEMORY_PAGE, (size + MEMORY_PAGE - 1) & ~(size_t)(MEMORY_PAGE - 1));
}

/* -- giving back --------------------------------------------------------------- */

static void let_go(const struct kept *block)
{
	uint64_t word;
	/* Something else is there: what its base is is not known any more. */
	if (UNLIKELY(!checked_was(block->header, CHECKED_KEPT, block->size, &word)))
		return;
	look_at_kept(block, word);
	void *base = checked_base(block->header, word);
	checked_clear(block->header);
	below.free(base);
}

/* The block of that header, whose word is `word` by right, was given back: it is kept, or goes. */
static void give_back(struct checked *header, uint64_t word)
{
	const uint64_t size = checked_size_in(word);
	site_id site = 0;
	look_at_guards(header, word);
	allocation_was_freed(checked_bytes(header), &site);
	if (LIKELY(!kept_wanted(size, site))) {
		void *base = checked_base(header, word);
		checked_clear(header);
		below.free(base);
		return;
	}
	const struct rec_thread *slot = self.slot;
	const bool whole = kept_all();
	const uint32_t thread = (slot ? slot->id : 0) | (whole ? KEPT_WHOLE : 0);
	const stack_id stack = stack_capture(outer_frame());
	checked_poison(header, size, whole);
	checked_put(header, word);
	checked_set(header, CHECKED_KEPT);
	struct kept gone[KEPT_GONE];
	for (unsigned i = kept_put(header, size, stack, thread, gone); i-- > 0;)
		let_go(&gone[i]);
}

static void check_free(void *block)
{
	uint64_t word;
	struct checked *header = block ? header_of(block, &word) : NULL;
	if (UNLIKELY(!header))
		below.free(block);
	else if (LIKELY(checked_is_in(word) == CHECKED_LIVE))
		give_back(header, word);
	/* Else a second free, which the hook has told of: the block is kept back already, and stays so. */
}

/* What is large is moved by the kernel. */
static void *resize_in_place(struct checked *header, uint64_t word, size_t size)
{
	look_at_guards(header, word);
	checked_clear(header);
	void *base = below.realloc(header, dressed(sizeof *header, size));
	if (!base)
		checked_put(header, word);
	return dress(base, sizeof *header, size);
}

static void *check_realloc(void *old, size_t size)
{
	if (!old)
		return check_malloc(size);
	uint64_t word;
	struct checked *header = header_of(old, &word);
	if (!header)
		return below.realloc(old, size);
	if (!size) {
		check_free(old);
		return NULL;
	}
	if (checked_is_in(word) != CHECKED_LIVE || size > SIZE_LIMIT) {
		errno = ENOMEM;
		return NULL;
	}
	const size_t was = checked_size_in(word);
	if (was > COPIED_MOST && size > COPIED_MOST && checked_base(header, word) == header)
		return resize_in_place(header, word, size);
	void *made = check_malloc(size);
	if (made) {
		memcpy(made, old, MIN_OF(was, size));
		give_back(header, word);
	}
	return made;
}

static void *check_reallocarray(void *old, size_t count, size_t size)
{
	size_t bytes;
	if (__builtin_mul_overflow(count, size, &bytes))
		return below.reallocarray(old, count, size);
	return check_realloc(old, bytes);
}

static size_t check_usable_size(void *block)
{
	uint64_t word;
	return block && header_of(block, &word) ? checked_size_in(word) : below.malloc_usable_size(block);
}

static void check_free_sized(void *block, size_t size)
{
	(void)size;
	check_free(block);
}

static void check_free_aligned_sized(void *block, size_t alignment, size_t size)
{
	(void)alignment, (void)size;
	check_free(block);
}

/* -- its life ------------------------------------------------------------------ */

void check_heap_start(void)
{
	below = real;
	real.malloc = check_malloc;
	real.calloc = check_calloc;
	real.realloc = check_realloc;
	real.memalign = check_memalign;
	real.aligned_alloc = check_aligned_alloc;
	real.posix_memalign = check_posix_memalign;
	real.valloc = check_valloc;
	real.pvalloc = check_pvalloc;
	real.malloc_usable_size = check_usable_size;
	if (real.reallocarray)
		real.reallocarray = check_reallocarray;
	if (real.free_sized)
		real.free_sized = check_free_sized;
	if (real.free_aligned_sized)
		real.free_aligned_sized = check_free_aligned_sized;
	real.free = check_free;
	allocx_start();
}

bool check_heap_runs(void)
{
	return below.malloc;
}

bool check_heap_dressed(const void *block)
{
	uint64_t word;
	return block && header_of(block, &word);
}

const struct real_functions *check_heap_below(void)
{
	return check_heap_runs() ? &below : &real;
}

void *check_heap_instead(void *found)
{
	return check_heap_runs() ? deep_instead(found) : found;
}

static bool look_at_live(const struct allocation *block, void *data)
{
	(void)data;
	int64_t offset;
	uint64_t word;
	struct checked *header = (struct checked *)block->address - 1;
	if (!block->site || !checked_was(header, CHECKED_LIVE, block->size, &word) ||
	    !checked_overrun(header, word, &offset))
		return true;
	/* It is of no interest who found it. */
	const struct rec_site *site = view_site(recording_view(), block->site);
	const struct rec_misuse_part parts[REC_MISUSE_PARTS] = { misuse_now(0, OP_none),
								 { .stack = site ? site->stack : 0 } };
	note_overrun(header, block->size, offset, parts);
	return true;
}

static void look_at_one_kept(const struct kept *block, void *data)
{
	(void)data;
	uint64_t word;
	if (checked_was(block->header, CHECKED_KEPT, block->size, &word))
		look_at_kept(block, word);
}

/* Other threads may go on meanwhile, and give memory back to the kernel. */
static void look_at_all(void *data)
{
	(void)data;
	allocation_each(look_at_live, NULL);
	kept_each(look_at_one_kept, NULL);
}

void check_heap_end(void)
{
	if (below.malloc)
		guard_call(look_at_all, NULL);
}
