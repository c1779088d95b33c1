/*
 * Memory that the program maps and unmaps, or maps something else over: a lock in what goes is gone, whoever has it or waits for it; and
 * where the option `mappings` asks for it, what is mapped is a hold like any other.
 *
 * libc's own mappings (stacks of threads, large blocks) don't come by here: blocks are told
 * by the allocator's hooks, and a thread's stack goes when nobody may have a lock in it any more.
 */
#include "hooks/mapping.h"

#include <stdarg.h>
#include <sys/mman.h>

#include "hooks/lock_misuse.h"
#include "platform/sys.h"
#include "registry/foreign_heap.h"
#include "registry/mapping.h"
#include "registry/pool.h"
#include "stack/memory.h"

/* Before the real functions are known an allocator may come by on its way up. */
static void *answer(long result)
{
	if (result < 0 && result > -4096) {
		errno = (int)-result;
		return MAP_FAILED;
	}
	return (void *)result;
}

/* What the kernel refuses is not worth a look: 0. */
static uint64_t whole_pages(uint64_t start, uint64_t bytes)
{
	if (start & (MEMORY_PAGE - 1) || bytes > UINT64_MAX - start - MEMORY_PAGE)
		return 0;
	return (bytes + MEMORY_PAGE - 1) & ~(MEMORY_PAGE - 1);
}

/* -- holds ------------------------------------------------------------------- */

void mapping_made(struct hook *hook, uint64_t start, uint64_t bytes, enum op op, uint32_t flags)
{
	int error = errno;
	bytes = whole_pages(start, bytes);
	if (bytes)
		mapping_begin(start, bytes, op, hook_stack(hook), flags);
	errno = error;
}

/*
 * Also where nothing is recorded, in an allocator and in threads that have ended, as far as our own tables are not just being
 * written.
 */
void mapping_end_begin(struct mapping_ending *ending, uint64_t start, uint64_t bytes)
{
	ending->bytes = 0;
	if (!mapping_followed() || self.busy % HOOK_IN_ALLOCATOR || self.guest)
		return;
	ending->start = start;
	ending->bytes = whole_pages(start, bytes);
	ending->before = mapping_clock();
}

void mapping_end_done(const struct mapping_ending *ending, uint32_t flags)
{
	if (LIKELY(!ending->bytes))
		return;
	int error = errno;
	mapping_end(ending->start, ending->bytes, ending->before, flags);
	errno = error;
}

/* Those that nobody need point to: whoever says where it is to be may know the place without looking it up. */
static uint32_t flags_of(const void *wanted, const void *result, int flags)
{
	bool placed = wanted && ((uintptr_t)wanted & ~(uintptr_t)(MEMORY_PAGE - 1)) == (uintptr_t)result;
	return (placed || flags & (MAP_GROWSDOWN | MAP_HUGETLB) ? HOLD_PLACED : 0) |
	       (flags & MAP_STACK ? HOLD_BY_END : 0);
}

/* -- what goes --------------------------------------------------------------- */

/* Before it is done: afterwards another thread may have that memory. What is refused is forgotten in vain. */
static void end_pools(uint64_t start, uint64_t bytes)
{
	if (LIKELY(!pool_any()))
		return;
	self.busy++;
	pool_clear(start, bytes);
	self.busy--;
}

static inline int unmap(struct hook *hook, void *start, size_t bytes, int (*call)(void *start, size_t bytes))
{
	struct mapping_ending ending;
	end_pools((uintptr_t)start, bytes);
	mapping_end_begin(&ending, (uintptr_t)start, bytes);
	int result;
	if (LIKELY(hook->track)) {
		struct lock_unmapping unmapping;
		lock_unmap_begin(hook, &unmapping, (uintptr_t)start, whole_pages((uintptr_t)start, bytes),
				 OP_munmap);
		result = call(start, bytes);
		if (result == 0)
			lock_unmap_done(&unmapping);
	} else {
		result = call(start, bytes);
	}
	if (result == 0)
		mapping_end_done(&ending, 0);
	return result;
}

EXPORT int munmap(void *start, size_t bytes)
{
	HOOK(hook, LOCK);
	foreign_heap_unmapping((uintptr_t)start, bytes);
	if (UNLIKELY(!real.munmap))
		return answer(sys_call2(SYS_munmap, start, bytes)) == MAP_FAILED ? -1 : 0;
	return unmap(&hook, start, bytes, real.munmap);
}

static int unmap_by_number(void *start, size_t bytes)
{
	return (int)real.syscall(SYS_munmap, start, bytes);
}

long mapping_syscall_unmap(long number, long start, long bytes)
{
	(void)number;
	HOOK(hook, LOCK);
	foreign_heap_unmapping((uint64_t)start, (uint64_t)bytes);
	return unmap(&hook, (void *)start, (size_t)bytes, unmap_by_number);
}

/* Whether a mapping goes where there may be another one, which ends. */
static bool maps_over(int flags)
{
	if (!(flags & MAP_FIXED))
		return false;
#ifdef MAP_FIXED_NOREPLACE
	return !(flags & MAP_FIXED_NOREPLACE);
#else
	return true;
#endif
}

static NOINLINE void *map_over(struct hook *hook, void *start, size_t bytes, int protection, int flags,
			       int fd, off_t offset)
{
	struct mapping_ending ending;
	hook->track = hook_track(HOOK_LOCK);
	end_pools((uintptr_t)start, bytes);
	mapping_end_begin(&ending, (uintptr_t)start, bytes);
	void *result;
	if (LIKELY(hook->track)) {
		struct lock_unmapping unmapping;
		lock_unmap_begin(hook, &unmapping, (uintptr_t)start, whole_pages((uintptr_t)start, bytes),
				 OP_mmap);
		result = real.mmap(start, bytes, protection, flags, fd, offset);
		if (result == start)
			lock_unmap_done(&unmapping);
	} else {
		result = real.mmap(start, bytes, protection, flags, fd, offset);
	}
	/* Who knows the one that is there now may know by it what is left around it. */
	if (result == start)
		mapping_end_done(&ending, HOLD_PLACED);
	return result;
}

static NOINLINE void *map_followed(void *start, size_t bytes, int protection, int flags, int fd, off_t offset)
{
	HOOK(hook, MAPPING);
	bool track = hook.track;
	void *result = maps_over(flags) ? map_over(&hook, start, bytes, protection, flags, fd, offset)
					: real.mmap(start, bytes, protection, flags, fd, offset);
	if (track && result != MAP_FAILED)
		mapping_made(&hook, (uintptr_t)result, bytes, OP_mmap, flags_of(start, result, flags));
	return result;
}

static NOINLINE void *map_placed(void *start, size_t bytes, int protection, int flags, int fd, off_t offset)
{
	HOOK(hook, LOCK);
	return map_over(&hook, start, bytes, protection, flags, fd, offset);
}

static NOINLINE void *note(void *result, size_t bytes, int flags, const void *caller)
{
	const bool own = (flags & (MAP_PRIVATE | MAP_ANONYMOUS)) == (MAP_PRIVATE | MAP_ANONYMOUS);
	if (result != MAP_FAILED)
		foreign_heap_mapped((uintptr_t)result, whole_pages((uintptr_t)result, bytes),
				    own ? caller : NULL);
	return result;
}

ALWAYS_INLINE void *map(void *start, size_t bytes, int protection, int flags, int fd, off_t offset,
			const void *caller)
{
	void *result;
	if (UNLIKELY(!real_ready() || !real.mmap))
		result = answer(sys_call6(SYS_mmap, (long)start, (long)bytes, protection, flags, fd, offset));
	else if (mapping_followed())
		result = map_followed(start, bytes, protection, flags, fd, offset);
	else if (UNLIKELY(maps_over(flags)))
		result = map_placed(start, bytes, protection, flags, fd, offset);
	else
		result = real.mmap(start, bytes, protection, flags, fd, offset);
	return UNLIKELY(foreign_heap_watches) ? note(result, bytes, flags, caller) : result;
}

EXPORT void *mmap(void *start, size_t bytes, int protection, int flags, int fd, off_t offset)
{
	return map(start, bytes, protection, flags, fd, offset, __builtin_return_address(0));
}

#if __WORDSIZE == 64
EXPORT void *mmap64(void *start, size_t bytes, int protection, int flags, int fd, off64_t offset)
{
	return map(start, bytes, protection, flags, fd, offset, __builtin_return_address(0));
}
#endif

static bool is_moved(const void *result, const void *start, size_t bytes, size_t new_bytes)
{
	return result != start || new_bytes < bytes;
}

/* What was there stays mapped, without what was in it. */
#ifdef MREMAP_DONTUNMAP
#define REMAP_STAYS MREMAP_DONTUNMAP
#else
#define REMAP_STAYS 0
#endif

static void shrink(struct mapping_ending *ending, uint64_t new_bytes)
{
	uint64_t kept = whole_pages(ending->start, new_bytes);
	ending->start += MIN_OF(kept, ending->bytes);
	ending->bytes -= MIN_OF(kept, ending->bytes);
}

EXPORT void *mremap(void *start, size_t bytes, size_t new_bytes, int flags, ...)
{
	HOOK(hook, LOCK);
	va_list list;
	va_start(list, flags);
	void *wanted = va_arg(list, void *); /* as libc reads it, whatever the flags need */
	va_end(list);
	foreign_heap_unmapping((uintptr_t)start, bytes);
	if (flags & MREMAP_FIXED)
		foreign_heap_unmapping((uintptr_t)wanted, new_bytes);
	if (UNLIKELY(!real.mremap))
		return answer(sys_call5(SYS_mremap, start, bytes, new_bytes, flags, wanted));
	/* What lies there is unmapped, or moved: to where nobody has been told of it. */
	bool fixed = flags & MREMAP_FIXED;
	if (fixed)
		end_pools((uintptr_t)wanted, new_bytes);
	if (new_bytes < bytes)
		end_pools((uintptr_t)start + new_bytes, bytes - new_bytes);
	bool track = mapping_followed() && hook_track(HOOK_MAPPING);
	struct mapping_ending moved, replaced;
	mapping_end_begin(&moved, (uintptr_t)start, flags & REMAP_STAYS ? 0 : bytes);
	mapping_end_begin(&replaced, (uintptr_t)wanted, fixed ? new_bytes : 0);
	struct lock_unmapping left = { .from = 0 }, over = { .from = 0 };
	/* What is moved goes as a whole, of what shrinks the end: the address is known afterwards, what was there before. */
	uint64_t from = (uintptr_t)start;
	uint64_t kept = !fixed && new_bytes < bytes ? whole_pages(from, new_bytes) : 0;
	uint64_t whole = whole_pages(from, bytes);
	if (hook.track)
		lock_unmap_begin(&hook, &left, from + kept, whole > kept ? whole - kept : 0, OP_mremap);
	if (hook.track && fixed)
		lock_unmap_begin(&hook, &over, (uintptr_t)wanted, whole_pages((uintptr_t)wanted, new_bytes),
				 OP_mremap);
	void *result = real.mremap(start, bytes, new_bytes, flags, wanted);
	if (result == MAP_FAILED)
		return result;
	if (result != start)
		end_pools((uintptr_t)start, bytes);
	if (hook.track && is_moved(result, start, bytes, new_bytes))
		lock_unmap_done(&left);
	if (hook.track && fixed)
		lock_unmap_done(&over);
	mapping_end_done(&replaced, HOLD_PLACED);
	/* Where it only becomes shorter it is the same mapping; else a new one, as of a block that realloc makes longer. */
	if (moved.bytes && result == start && new_bytes <= bytes)
		shrink(&moved, new_bytes);
	mapping_end_done(&moved, 0);
	if (track && (result != start || new_bytes > bytes))
		mapping_made(&hook, (uintptr_t)result, new_bytes, OP_mremap, fixed ? HOLD_PLACED : 0);
	return result;
}
