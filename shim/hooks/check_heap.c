#include "hooks/check_heap.h"

#include <stdint.h>
#include <string.h>

#include "hooks/hook.h"
#include "platform/guard.h"
#include "platform/lock.h"
#include "registry/allocation.h"
#include "registry/misuse.h"
#include "stack/memory.h"

extern char __ehdr_start[] __attribute__((visibility("hidden")));
extern char _end[] __attribute__((visibility("hidden")));

#define GUARD_BYTES 16u
#define GUARD_FILL 0xfd
#define FREED_FILL 0xdf
#define LIVE UINT64_C(0x9e1f3c5a7b2d4861)
#define KEPT UINT64_C(0x61482d7b5a3c1f9e)

struct header {
	uint64_t mark; /* LIVE or KEPT, mixed with the address: a copy of one is none */
	uint64_t size; /* as asked for */
	void *base;
	struct header *next; /* among those kept back, the next younger one */
	nsec_t freed_at;
	stack_id freed;
	thread_id freed_by;
	site_id site;
	uint32_t spare[3];
	unsigned char guard[GUARD_BYTES];
};

_Static_assert(sizeof(struct header) == 80, "blocks stay aligned to 16");

/* Kept back at the most; and no block that is a large part of it by itself. Chosen somewhat arbitrarily. */
#define KEPT_MOST ((uint64_t)32 << 20)
#define KEPT_EACH_MOST ((uint64_t)1 << 20)
/* Larger ones are resized in place, where the kernel moves pages and nobody copies. */
#define COPIED_MOST ((size_t)256 * 1024)
#define SIZE_LIMIT ((size_t)PTRDIFF_MAX - (1 << 20))

static struct real_functions below; /* the allocator's own */
static struct lock lock;
static struct header *oldest, *youngest;
static uint64_t kept_bytes;
static bool ending;

static uint64_t mark_of(const struct header *header, uint64_t mark)
{
	return mark ^ (uintptr_t)header;
}

static unsigned char *bytes_of(struct header *header)
{
	return (unsigned char *)(header + 1);
}

/* The header before a block; NULL: it has none of ours. */
static struct header *header_of(const void *block)
{
	struct header *header = (struct header *)block - 1;
	/* What has none may begin where a mapping does. */
	if (((uintptr_t)block & (MEMORY_PAGE - 1)) < sizeof *header &&
	    !memory_readable((uintptr_t)header & ~UINT64_C(7)))
		return NULL;
	bool ours = header->mark == mark_of(header, LIVE) || header->mark == mark_of(header, KEPT);
	return ours ? header : NULL;
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

static struct rec_misuse_part part_allocated(site_id site)
{
	const struct rec_site *at = site ? view_site(recording_view(), site) : NULL;
	return (struct rec_misuse_part){ .stack = at ? at->stack : 0 };
}

static void note_overrun(struct header *header, int64_t offset, site_id site)
{
	struct rec_misuse what = {
		.kind = MISUSE_heap_overflow,
		.handle = (uintptr_t)bytes_of(header),
		.amount = header->size,
		.offset = (int32_t)MIN_OF(offset, (int64_t)INT32_MAX),
	};
	/* At the end of the process it is of no interest who found it. */
	what.parts[0] = misuse_now(ending ? 0 : stack_capture(outer_frame()), OP_none);
	what.parts[1] = part_allocated(site);
	misuse_note(&what);
}

static void note_written(struct header *header, uint64_t offset)
{
	struct rec_misuse what = {
		.kind = MISUSE_use_after_free,
		.handle = (uintptr_t)bytes_of(header),
		.amount = header->size,
		.offset = (int32_t)MIN_OF(offset, (uint64_t)INT32_MAX),
	};
	what.parts[0] = (struct rec_misuse_part){ .at = header->freed_at,
						  .stack = header->freed,
						  .thread = header->freed_by };
	what.parts[1] = part_allocated(header->site);
	misuse_note(&what);
}

/* -- looking ------------------------------------------------------------------ */

/* The first of `count` bytes that is not `fill`; `count`: all are. */
static uint64_t differs_at(const unsigned char *bytes, uint64_t count, unsigned char fill)
{
	uint64_t pattern = fill * UINT64_C(0x0101010101010101), at = 0, word;
	for (; at + sizeof word <= count; at += sizeof word) {
		memcpy(&word, bytes + at, sizeof word);
		if (word != pattern)
			break;
	}
	while (at < count && bytes[at] == fill)
		at++;
	return at;
}

static void look_at_guards(struct header *header, site_id site)
{
	/* From the block outward: what is next to it tells who it was. */
	for (unsigned i = GUARD_BYTES; i-- > 0;)
		if (header->guard[i] != GUARD_FILL) {
			note_overrun(header, (int64_t)i - (int64_t)GUARD_BYTES, site);
			return;
		}
	uint64_t behind = differs_at(bytes_of(header) + header->size, GUARD_BYTES, GUARD_FILL);
	if (behind < GUARD_BYTES)
		note_overrun(header, (int64_t)(header->size + behind), site);
}

static void look_at_poison(struct header *header)
{
	uint64_t at = differs_at(bytes_of(header), header->size, FREED_FILL);
	if (at < header->size)
		note_written(header, at);
}

/* -- making -------------------------------------------------------------------- */

/* Dresses up the block that begins `before` bytes behind `base`. */
static void *dress(void *base, size_t before, size_t size)
{
	if (!base)
		return NULL;
	struct header *header = (struct header *)((char *)base + before) - 1;
	header->mark = mark_of(header, LIVE);
	header->size = size;
	header->base = base;
	memset(header->guard, GUARD_FILL, GUARD_BYTES);
	memset(bytes_of(header) + size, GUARD_FILL, GUARD_BYTES);
	return bytes_of(header);
}

static size_t dressed(size_t before, size_t size)
{
	return before + size + GUARD_BYTES;
}

static void *check_malloc(size_t size)
{
	if (size > SIZE_LIMIT)
		return below.malloc(size);
	return dress(below.malloc(dressed(sizeof(struct header), size)), sizeof(struct header), size);
}

static void *check_calloc(size_t count, size_t size)
{
	size_t bytes;
	if (__builtin_mul_overflow(count, size, &bytes) || bytes > SIZE_LIMIT)
		return below.calloc(count, size);
	return dress(below.calloc(1, dressed(sizeof(struct header), bytes)), sizeof(struct header), bytes);
}

/* How far behind its base an aligned block begins: `alignment` as the real function rounds it up. */
static size_t room_before(size_t alignment)
{
	size_t room = 128;
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

static void let_go(struct header *header)
{
	look_at_poison(header);
	header->mark = 0;
	below.free(header->base);
}

/* Puts it with those that are kept back. Return: those that there is no more room for, a chain. */
static struct header *keep(struct header *header)
{
	header->next = NULL;
	if (!lock_take(&lock))
		return header;
	if (youngest)
		youngest->next = header;
	else
		oldest = header;
	youngest = header;
	kept_bytes += header->size + sizeof *header;
	struct header *first = oldest, *last = NULL;
	for (; kept_bytes > KEPT_MOST && oldest != youngest; oldest = oldest->next) {
		kept_bytes -= oldest->size + sizeof *oldest;
		last = oldest;
	}
	lock_release(&lock);
	if (!last)
		return NULL;
	last->next = NULL;
	return first;
}

static void check_free(void *block)
{
	struct header *header = block ? header_of(block) : NULL;
	if (!header) {
		below.free(block);
		return;
	}
	/* A second free, which the hook has told of: the block is kept back already, and stays so. */
	if (header->mark != mark_of(header, LIVE))
		return;
	site_id site = 0;
	allocation_was_freed(block, &site);
	look_at_guards(header, site);
	if (header->size > KEPT_EACH_MOST) {
		header->mark = 0;
		below.free(header->base);
		return;
	}
	const struct rec_thread *slot = self.slot;
	header->site = site;
	header->freed = stack_capture(outer_frame());
	header->freed_by = slot ? slot->id : 0;
	header->freed_at = sys_monotonic_coarse();
	memset(block, FREED_FILL, header->size);
	header->mark = mark_of(header, KEPT);
	for (struct header *next, *gone = keep(header); gone; gone = next) {
		next = gone->next;
		let_go(gone);
	}
}

static void *check_realloc(void *old, size_t size)
{
	struct header *header = old ? header_of(old) : NULL;
	if (!old)
		return check_malloc(size);
	if (!header)
		return below.realloc(old, size);
	if (!size) {
		check_free(old);
		return NULL;
	}
	if (header->mark != mark_of(header, LIVE) || size > SIZE_LIMIT) {
		errno = ENOMEM;
		return NULL;
	}
	size_t before = (size_t)((char *)old - (char *)header->base);
	if (header->size > COPIED_MOST && size > COPIED_MOST && before == sizeof *header) {
		site_id site = 0;
		allocation_was_freed(old, &site);
		look_at_guards(header, site);
		header->mark = 0;
		void *base = below.realloc(header->base, dressed(before, size));
		if (!base)
			header->mark = mark_of(header, LIVE);
		return dress(base, before, size);
	}
	void *made = check_malloc(size);
	if (made) {
		memcpy(made, old, MIN_OF(header->size, size));
		check_free(old);
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
	const struct header *header = block ? header_of(block) : NULL;
	return header ? header->size : below.malloc_usable_size(block);
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
}

static bool look_at_live(const struct allocation *block, void *data)
{
	(void)data;
	struct header *header = header_of((const void *)block->address);
	if (header && header->size == block->size && header->mark == mark_of(header, LIVE))
		look_at_guards(header, block->site);
	return true;
}

/* Other threads may go on meanwhile, and give memory back to the kernel. */
static void look_at_all(void *data)
{
	(void)data;
	allocation_each(look_at_live, NULL);
	for (struct header *header = oldest; header; header = header->next)
		if (header->mark == mark_of(header, KEPT))
			look_at_poison(header);
}

void check_heap_end(void)
{
	if (!below.malloc || !lock_take(&lock))
		return;
	ending = true;
	guard_call(look_at_all, NULL);
	ending = false;
	lock_release(&lock);
}

void check_heap_fork_child(void)
{
	lock.word = 0;
}
