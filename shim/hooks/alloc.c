#include "hooks/alloc.h"

#include "hooks/alloc_misuse.h"
#include "hooks/alloc_size.h"
#include "hooks/check_heap.h"
#include "hooks/lock_misuse.h"
#include "options.h"
#include "platform/early.h"
#include "platform/elf_next.h"
#include "platform/process.h"
#include "platform/trim.h"
#include "registry/address_map.h"
#include "registry/foreign_heap.h"
#include "registry/freed.h"
#include "registry/overhead.h"
#include "registry/pool.h"
#include "registry/recording.h"
#include "start.h"

/* -- before the shim runs -------------------------------------------------- */

/*
 * The loader and the constructors of other libraries allocate before us. Such blocks can hold the
 * only pointer to a later one, so they must be known; a few dozen are usual.
 */
#define BEFORE_MOST 2048

static struct {
	const void *block;
	size_t size;
} before[BEFORE_MOST];
static uint32_t before_count;

bool alloc_is_libc;

/* Made before the shim runs: they are known, as roots, from its start. */
static void made_before_start(const void *block, size_t size)
{
	uint32_t at = __atomic_fetch_add(&before_count, 1, __ATOMIC_RELAXED);
	if (at >= BEFORE_MOST)
		return;
	before[at].size = size;
	__atomic_store_n(&before[at].block, block, __ATOMIC_RELEASE);
}

static void freed_before_start(const void *block)
{
	uint32_t used = MIN_OF(__atomic_load_n(&before_count, __ATOMIC_RELAXED), (uint32_t)BEFORE_MOST);
	for (uint32_t i = used; i-- > 0;)
		if (before[i].block == block) {
			before[i].block = NULL;
			return;
		}
}

void alloc_share_windows(void)
{
	__atomic_store_n(&address_map_shared, true, __ATOMIC_SEQ_CST);
	process_gate_set(GATE_CLOSED);
}

void alloc_start(void)
{
	/* glibc's keeps blocks 32 bytes apart. */
	alloc_is_libc = (void *)real.malloc == real_find("__libc_malloc", NULL);
	foreign_heap_start((void *)real.malloc);
	if (options.alloc == ALLOC_OFF)
		return;
	if (!alloc_is_libc)
		alloc_share_windows();
	if (elf_is_before("malloc"))
		recording_degrade(REC_OTHERS_MALLOC);
	if (options.check_heap)
		check_heap_start();
	else
		trim_init();
	uint32_t used = MIN_OF(before_count, (uint32_t)BEFORE_MOST);
	for (uint32_t i = 0; i < used; i++)
		if (before[i].block)
			allocation_early(before[i].block, before[i].size);
}

/* How far from the start of its block a lock is looked for; chosen somewhat arbitrarily. */
#define LOCK_REACH (UINT64_C(1) << 20)

/* -- what all of them share ------------------------------------------------ */

/*
 * Opens the gate where forks are noticed by the page it lies in. Who gives exactness up closes it
 * after having said so: either we see that, or our opening comes before the closing.
 */
static void open_gate(void)
{
	if (allocation_exact()) {
		process_gate_set(GATE_EXACT);
		if (!allocation_exact())
			process_gate_set(GATE_CLOSED);
	} else if (allocation_sampled()) {
		process_gate_set(GATE_SAMPLED);
	}
}

NOINLINE bool alloc_track_other(size_t size, unsigned *ret_flags)
{
	if (UNLIKELY(!(__atomic_load_n(&hook_groups, __ATOMIC_ACQUIRE) & HOOK_ALLOC))) {
		if (hook_groups) {
			/* What other allocators do inside must go on to be hidden from the other hooks. */
			if (alloc_is_libc)
				process_gate_set(GATE_OFF);
			return false;
		}
		start_shim();
		if (!(__atomic_load_n(&hook_groups, __ATOMIC_ACQUIRE) & HOOK_ALLOC))
			return false;
	}
	if (UNLIKELY(self.busy || self.guest))
		return false;
	if (UNLIKELY(!*process_canary)) {
		start_fork_child();
		if (!(hook_groups & HOOK_ALLOC))
			return false;
	}
	if (UNLIKELY(self.until_clock == 0)) {
		self.until_clock = ALLOC_CLOCK_EVERY;
		reporter_want_later();
		if (options.max_overhead_percent && alloc_gate(GATE_EXACT))
			overhead_sample(__builtin_frame_address(0), ALLOC_CLOCK_EVERY);
	}
	self.until_clock--;
	if (alloc_gate(GATE_CLOSED)) {
		open_gate();
		self.busy += HOOK_IN_ALLOCATOR;
		trim_if_wanted();
		self.busy -= HOOK_IN_ALLOCATOR;
	} else if (alloc_gate(GATE_SAMPLED))
		self.until_clock = 0; /* we come here seldom now */
	return allocation_chosen(size, ret_flags);
}

NOINLINE void alloc_untracked_other(const void *block, size_t size)
{
	if (!hook_groups)
		made_before_start(block, size);
	else if (hook_groups & HOOK_ALLOC)
		allocation_unseen(block);
}

NOINLINE void alloc_released_holding(const void *block, enum op op, const void *frame)
{
	const struct rec_thread *slot = self.slot;
	uint32_t holds = MIN_OF(slot->hold_count, REC_SLOT_HOLDS);
	struct allocation known;
	for (uint32_t i = 0; i < holds; i++) {
		uint64_t offset = slot->holds[i].handle - (uintptr_t)block;
		/* Far enough away from most blocks: only then is it worth a look at how large this one is. */
		if (LIKELY(offset >= LOCK_REACH) || !allocation_find(block, &known) || offset >= known.size)
			continue;
		lock_misuse_memory((uintptr_t)block, known.size, op, frame);
		return;
	}
}

NOINLINE bool alloc_released(const struct alloc_release *how)
{
	if (early_owns(how->block))
		return false;
	if (UNLIKELY(!(__atomic_load_n(&hook_groups, __ATOMIC_ACQUIRE) & HOOK_ALLOC))) {
		if (!hook_groups)
			freed_before_start(how->block);
		return true;
	}
	if (UNLIKELY(!*process_canary))
		start_fork_child();
	if (UNLIKELY(self.guest))
		return true;
	struct allocation was;
	bool known = allocation_end(how->block, &was);
	/* What an allocator does inside of itself is its own business. */
	if (self.busy != HOOK_IN_ALLOCATOR)
		return true;
	if (UNLIKELY(known && (was.flags & ALLOCATION_LOCK)))
		lock_misuse_memory((uintptr_t)how->block, was.size, (enum op)how->op, how->frame);
	if (UNLIKELY(known && (was.flags & ALLOCATION_POOL)))
		pool_clear(was.address, was.size);
	if (UNLIKELY(!known || allocation_given_back(was.kind) != how->kind ||
		     (how->size != was.size && how->size != ALLOC_SIZE_UNTOLD)))
		alloc_misuse(how, known ? &was : NULL);
	if (known && allocation_certain())
		freed_note_other((uintptr_t)how->block, was.site, how->frame);
	return true;
}

/* -- the C allocator ------------------------------------------------------- */

static NOINLINE void *malloc_other(size_t size, const void *frame)
{
	if (UNLIKELY(!real_ready()))
		return early_alloc(size, 16);
	ALLOC_CALL(block, size, ALLOCATED_MALLOC, frame, real.malloc(size));
	if (UNLIKELY(!block))
		alloc_size_refused(size, OP_malloc, frame);
	return block;
}

static NOINLINE void *malloc_untracked(size_t size, const void *frame)
{
	if (LIKELY(alloc_gate(GATE_SAMPLED) && !self.busy && allocation_passed(size))) {
		self.busy = HOOK_IN_ALLOCATOR;
		void *block = real.malloc(size);
		self.busy = 0;
		return block;
	}
	/* Nearly always from within operator new, which records the block. */
	if (LIKELY(alloc_gate(GATE_EXACT) && self.busy >= HOOK_IN_ALLOCATOR)) {
		void *block = real.malloc(size);
		if (LIKELY(block))
			allocation_unseen(block);
		else
			alloc_size_refused(size, OP_malloc, frame);
		return block;
	}
	return malloc_other(size, frame);
}

/* By hand what ALLOC_CALL does: this is where programs spend their time. */
EXPORT void *malloc(size_t size)
{
	const enum process_gate gate = alloc_gate_now();
	if (UNLIKELY(gate != GATE_EXACT || self.busy || !self.until_clock)) {
		if (LIKELY(alloc_made_unseen(gate, size)))
			return real.malloc(size);
		void *block = malloc_untracked(size, __builtin_frame_address(0));
		__asm__ volatile("" : "+r"(block)); /* no jump: the frame has to be there */
		return block;
	}
	self.until_clock--;
	const stack_id stack = stack_capture(__builtin_frame_address(0));
	self.busy = HOOK_IN_ALLOCATOR;
	void *block = real.malloc(size);
	if (LIKELY(block))
		allocation_made(allocation_hide(block), size, ALLOCATED_MALLOC, stack);
	else
		alloc_size_refused(size, OP_malloc, __builtin_frame_address(0));
	self.busy = 0;
	return block;
}

/* Products that overflow are refused, which is to be seen. */
#define FACTOR_MOST ((size_t)UINT32_MAX)

EXPORT void *calloc(size_t count, size_t size)
{
	const enum process_gate gate = alloc_gate_now();
	if (UNLIKELY(gate != GATE_EXACT) && count <= FACTOR_MOST && size <= FACTOR_MOST &&
	    alloc_made_unseen(gate, count * size))
		return real.calloc(count, size);
	if (UNLIKELY(alloc_gate(GATE_CLOSED) && !real_ready())) {
		size_t bytes;
		return __builtin_mul_overflow(count, size, &bytes) ? NULL : early_alloc(bytes, 16);
	}
	/* The product is meant only after the real call has found that it does not overflow. */
	ALLOC_CALL(block, count * size, ALLOCATED_MALLOC, __builtin_frame_address(0),
		   real.calloc(count, size));
	if (UNLIKELY(!block))
		alloc_size_product_refused(count, size, OP_calloc, __builtin_frame_address(0));
	return block;
}

#define RELEASE(block_, size_, op_) \
	&(struct alloc_release) \
	{ \
		.block = (block_), .frame = __builtin_frame_address(0), .size = (size_), \
		.kind = ALLOCATED_MALLOC, .op = OP_##op_ \
	}

static NOINLINE void free_other(void *block, const void *frame)
{
	/* As in malloc_untracked. */
	if (alloc_gate(GATE_SAMPLED) && !early_owns(block) && address_map_lacks((uintptr_t)block)) {
		self.busy += HOOK_IN_ALLOCATOR;
		real.free(block);
		self.busy -= HOOK_IN_ALLOCATOR;
		return;
	}
	if (UNLIKELY(!block) || UNLIKELY(alloc_gate(GATE_CLOSED) && !real_ready()))
		return;
	struct alloc_release how = { .block = block,
				     .frame = frame,
				     .size = ALLOC_SIZE_UNTOLD,
				     .kind = ALLOCATED_MALLOC,
				     .op = OP_free };
	self.busy += HOOK_IN_ALLOCATOR;
	if (LIKELY(alloc_released(&how)))
		real.free(block);
	self.busy -= HOOK_IN_ALLOCATOR;
}

EXPORT void free(void *block)
{
	const enum process_gate gate = alloc_gate_now();
	if (LIKELY(gate == GATE_EXACT && !self.busy)) {
		alloc_holding(block, OP_free, __builtin_frame_address(0));
		self.busy = HOOK_IN_ALLOCATOR;
		bool done = allocation_freed(block, __builtin_return_address(0));
		if (LIKELY(done))
			real.free(block);
		self.busy = 0;
		if (LIKELY(done))
			return;
	} else if (LIKELY(alloc_freed_unseen(gate, block))) {
		real.free(block);
		return;
	}
	free_other(block, __builtin_frame_address(0));
	__asm__ volatile(""); /* no jump: the frame has to be there */
}

EXPORT void cfree(void *block)
{
	/* Gone from libc's headers and from many a libc; always the same as free. */
	free(block);
}

static void *early_grow(void *old, size_t size)
{
	size_t known = early_size(old);
	void *block = malloc(size);
	if (block)
		memcpy(block, old, MIN_OF(known, size));
	return block;
}

/* realloc and reallocarray: forget, call, and put back where the real one refused. */
#define REALLOC_CALL(result, old, bytes, call) \
	struct allocation was; \
	unsigned flags; \
	const bool tracked = alloc_track((bytes), &flags); \
	const stack_id stack = alloc_stack(tracked, __builtin_frame_address(0)); \
	self.busy += HOOK_IN_ALLOCATOR; \
	const bool known = hook_groups ? !self.guest && allocation_end(old, &was) : false; \
	if (UNLIKELY(self.busy == HOOK_IN_ALLOCATOR && hook_groups & HOOK_ALLOC && \
		     (!known || was.kind > ALLOCATED_ALIGNED))) \
		alloc_misuse(RELEASE(old, ALLOC_SIZE_UNTOLD, realloc), known ? &was : NULL); \
	if (UNLIKELY(!hook_groups)) \
		freed_before_start(old); \
	if (known) { \
		self.moving_bytes = was.size; \
		__atomic_store_n(&self.moving, was.address, __ATOMIC_RELAXED); \
	} \
	void *result = (call); \
	if (UNLIKELY(known && was.flags & ALLOCATION_POOL) && (result || !(bytes))) \
		flags |= pool_resized(&was, (uintptr_t)result, (bytes)); \
	if (!result && (bytes) != 0) { \
		if (known) \
			allocation_restore(&was); \
		else if (UNLIKELY(!hook_groups)) \
			made_before_start(old, 0); \
	} else if (result && tracked) { \
		allocation_begin(allocation_hide(result), (bytes), ALLOCATED_MALLOC, stack, flags); \
	} else if (result) { \
		alloc_untracked(result, (bytes)); \
	} \
	__atomic_store_n(&self.moving, 0, __ATOMIC_RELAXED); \
	self.busy -= HOOK_IN_ALLOCATOR;

ALWAYS_INLINE void *move_block(void *old, size_t size)
{
	if (UNLIKELY(!real_ready())) {
		void *made = early_alloc(size, 16);
		if (made && old && early_owns(old))
			memcpy(made, old, MIN_OF(early_size(old), size));
		return made;
	}
	if (UNLIKELY(early_owns(old)))
		return early_grow(old, size);
	if (!old) {
		ALLOC_CALL(block, size, ALLOCATED_MALLOC, __builtin_frame_address(0),
			   real.realloc(NULL, size));
		if (UNLIKELY(!block))
			alloc_size_refused(size, OP_realloc, __builtin_frame_address(0));
		return block;
	}
	REALLOC_CALL(block, old, size, real.realloc(old, size))
	if (UNLIKELY(!block))
		alloc_size_refused(size, OP_realloc, __builtin_frame_address(0));
	return block;
}

EXPORT void *realloc(void *old, size_t size)
{
	const enum process_gate gate = alloc_gate_now();
	if (UNLIKELY(gate != GATE_EXACT) && alloc_freed_unseen(gate, old) && alloc_made_unseen(gate, size))
		return real.realloc(old, size);
	return move_block(old, size);
}

EXPORT void *reallocarray(void *old, size_t count, size_t size)
{
	if (UNLIKELY(!real_ready() || early_owns(old) || !real.reallocarray)) {
		size_t bytes;
		if (__builtin_mul_overflow(count, size, &bytes)) {
			errno = ENOMEM;
			return NULL;
		}
		return realloc(old, bytes);
	}
	if (!old) {
		ALLOC_CALL(block, count * size, ALLOCATED_MALLOC, __builtin_frame_address(0),
			   real.reallocarray(NULL, count, size));
		if (UNLIKELY(!block))
			alloc_size_product_refused(count, size, OP_reallocarray, __builtin_frame_address(0));
		return block;
	}
	size_t bytes = 1;
	if (!__builtin_mul_overflow(count, size, &bytes)) {
		REALLOC_CALL(block, old, bytes, real.reallocarray(old, count, size))
		if (UNLIKELY(!block))
			alloc_size_refused(bytes, OP_reallocarray, __builtin_frame_address(0));
		return block;
	}
	void *refused = real.reallocarray(old, count, size);
	alloc_size_product_refused(count, size, OP_reallocarray, __builtin_frame_address(0));
	return refused;
}

EXPORT int posix_memalign(void **ret_block, size_t alignment, size_t size)
{
	if (UNLIKELY(!real_ready())) {
		*ret_block = early_alloc(size, alignment);
		return *ret_block ? 0 : ENOMEM;
	}
	unsigned flags;
	const bool tracked = alloc_track(size, &flags);
	const stack_id stack = alloc_stack(tracked, __builtin_frame_address(0));
	self.busy += HOOK_IN_ALLOCATOR;
	int result = real.posix_memalign(ret_block, alignment, size);
	if (result == 0 && *ret_block) {
		if (tracked)
			allocation_begin(allocation_hide(*ret_block), size, ALLOCATED_ALIGNED, stack, flags);
		else
			alloc_untracked(*ret_block, size);
	}
	self.busy -= HOOK_IN_ALLOCATOR;
	alloc_size_aligned(result != 0, alignment, size, OP_posix_memalign, __builtin_frame_address(0));
	return result;
}

EXPORT void *aligned_alloc(size_t alignment, size_t size)
{
	if (UNLIKELY(!real_ready()))
		return early_alloc(size, alignment);
	ALLOC_CALL(block, size, ALLOCATED_ALIGNED, __builtin_frame_address(0),
		   real.aligned_alloc(alignment, size));
	alloc_size_aligned(!block, alignment, size, OP_aligned_alloc, __builtin_frame_address(0));
	return block;
}

EXPORT void *memalign(size_t alignment, size_t size)
{
	if (UNLIKELY(!real_ready()))
		return early_alloc(size, alignment);
	ALLOC_CALL(block, size, ALLOCATED_ALIGNED, __builtin_frame_address(0),
		   real.memalign(alignment, size));
	alloc_size_aligned(!block, alignment, size, OP_memalign, __builtin_frame_address(0));
	return block;
}

EXPORT void *valloc(size_t size)
{
	if (UNLIKELY(!real_ready()))
		return early_alloc(size, 4096);
	ALLOC_CALL(block, size, ALLOCATED_ALIGNED, __builtin_frame_address(0), real.valloc(size));
	if (UNLIKELY(!block))
		alloc_size_refused(size, OP_valloc, __builtin_frame_address(0));
	return block;
}

EXPORT void *pvalloc(size_t size)
{
	if (UNLIKELY(!real_ready()))
		return early_alloc((size + 4095) & ~(size_t)4095, 4096);
	ALLOC_CALL(block, size, ALLOCATED_ALIGNED, __builtin_frame_address(0), real.pvalloc(size));
	if (UNLIKELY(!block))
		alloc_size_refused(size, OP_pvalloc, __builtin_frame_address(0));
	return block;
}

EXPORT size_t malloc_usable_size(void *block)
{
	if (!block)
		return 0;
	if (UNLIKELY(early_owns(block)))
		return early_size(block);
	return real_ready() ? real.malloc_usable_size(block) : 0;
}

/* C23, glibc 2.43. Where libc lacks them, a program that has them must have linked something that
 * brings its own; where it came with nothing, freeing is what they mean. */
EXPORT void free_sized(void *block, size_t size)
{
	if (!block || early_owns(block) || !real_ready() || !real.free_sized) {
		free(block);
		return;
	}
	self.busy += HOOK_IN_ALLOCATOR;
	if (alloc_released(RELEASE(block, size, free_sized)))
		real.free_sized(block, size);
	self.busy -= HOOK_IN_ALLOCATOR;
}

EXPORT void free_aligned_sized(void *block, size_t alignment, size_t size)
{
	if (!block || early_owns(block) || !real_ready() || !real.free_aligned_sized) {
		free(block);
		return;
	}
	self.busy += HOOK_IN_ALLOCATOR;
	if (alloc_released(RELEASE(block, size, free_aligned_sized)))
		real.free_aligned_sized(block, alignment, size);
	self.busy -= HOOK_IN_ALLOCATOR;
}

/* -- glibc's second names ---------------------------------------------------- */

/*
 * A program that stands in front of malloc alone, to count or to refuse, goes on to glibc's by these, and frees what
 * it got by free: unseen, they would bring blocks to where others were freed. Where another allocator is in use they
 * are still glibc's, whose blocks are none of that one's business, nor ours.
 */
static inline bool goes_to_malloc(void)
{
	return LIKELY(alloc_is_libc) || real.malloc == real.__libc_malloc;
}

#define SECOND_NAME(name, arguments, passed, size, kind, call) \
	EXPORT void *name arguments \
	{ \
		if (UNLIKELY(!real_ready())) \
			return early_alloc((size), 16); \
		if (UNLIKELY(!goes_to_malloc())) \
			return real.name passed; \
		ALLOC_CALL(block, (size), kind, __builtin_frame_address(0), real.call passed); \
		return block; \
	}

SECOND_NAME(__libc_malloc, (size_t size), (size), size, ALLOCATED_MALLOC, malloc)
SECOND_NAME(__libc_memalign, (size_t alignment, size_t size), (alignment, size), size, ALLOCATED_ALIGNED,
	    memalign)
SECOND_NAME(__libc_valloc, (size_t size), (size), size, ALLOCATED_ALIGNED, valloc)
SECOND_NAME(__libc_pvalloc, (size_t size), (size), size, ALLOCATED_ALIGNED, pvalloc)

EXPORT void *__libc_calloc(size_t count, size_t size)
{
	size_t bytes;
	if (UNLIKELY(!real_ready()))
		return __builtin_mul_overflow(count, size, &bytes) ? NULL : early_alloc(bytes, 16);
	if (UNLIKELY(!goes_to_malloc()))
		return real.__libc_calloc(count, size);
	ALLOC_CALL(block, count * size, ALLOCATED_MALLOC, __builtin_frame_address(0),
		   real.calloc(count, size));
	return block;
}

EXPORT void *__libc_realloc(void *old, size_t size)
{
	if (UNLIKELY(real_ready() && !goes_to_malloc()))
		return real.__libc_realloc(old, size);
	return move_block(old, size);
}

EXPORT void __libc_free(void *block)
{
	if (UNLIKELY(real_ready() && !goes_to_malloc() && !early_owns(block))) {
		real.__libc_free(block);
		return;
	}
	free_other(block, __builtin_frame_address(0));
	__asm__ volatile(""); /* no jump: the frame has to be there */
}
