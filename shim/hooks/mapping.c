/*
 * Memory that the program unmaps, or maps something else over: a lock in it is gone, whoever has it or waits for it.
 *
 * libc's own unmapping (of stacks of threads that have ended, of large blocks) doesn't come by here: blocks are told
 * by the allocator's hooks, and a thread's stack goes when nobody may have a lock in it any more.
 */
#include "hooks/hook.h"
#include "hooks/lock_misuse.h"

#include <stdarg.h>
#include <sys/mman.h>

#include "platform/sys.h"
#include "registry/foreign_heap.h"
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

/* What the kernel refuses is not worth a look. */
static uint64_t whole_pages(uint64_t start, uint64_t bytes)
{
	if (start & (MEMORY_PAGE - 1) || bytes > UINT64_MAX - start - MEMORY_PAGE)
		return 0;
	return (bytes + MEMORY_PAGE - 1) & ~(MEMORY_PAGE - 1);
}

/* Before it is done: afterwards another thread may have that memory. What is refused is forgotten in vain. */
static void end_pools(uint64_t start, uint64_t bytes)
{
	if (LIKELY(!pool_any()))
		return;
	self.busy++;
	pool_clear(start, bytes);
	self.busy--;
}

EXPORT int munmap(void *start, size_t bytes)
{
	HOOK(hook, LOCK);
	foreign_heap_unmapping((uintptr_t)start, bytes);
	if (UNLIKELY(!real.munmap))
		return answer(sys_call2(SYS_munmap, start, bytes)) == MAP_FAILED ? -1 : 0;
	end_pools((uintptr_t)start, bytes);
	if (!hook.track)
		return real.munmap(start, bytes);
	struct lock_unmapping unmapping;
	lock_unmap_begin(&hook, &unmapping, (uintptr_t)start, whole_pages((uintptr_t)start, bytes),
			 OP_munmap);
	int result = real.munmap(start, bytes);
	if (result == 0)
		lock_unmap_done(&unmapping);
	return result;
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

static NOINLINE void *map_over(void *start, size_t bytes, int protection, int flags, int fd, off_t offset)
{
	HOOK(hook, LOCK);
	end_pools((uintptr_t)start, bytes);
	if (!hook.track)
		return real.mmap(start, bytes, protection, flags, fd, offset);
	struct lock_unmapping unmapping;
	lock_unmap_begin(&hook, &unmapping, (uintptr_t)start, whole_pages((uintptr_t)start, bytes), OP_mmap);
	void *result = real.mmap(start, bytes, protection, flags, fd, offset);
	if (result == start)
		lock_unmap_done(&unmapping);
	return result;
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
	else if (UNLIKELY(maps_over(flags)))
		result = map_over(start, bytes, protection, flags, fd, offset);
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
	return result != MAP_FAILED && (result != start || new_bytes < bytes);
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
	if (flags & MREMAP_FIXED)
		end_pools((uintptr_t)wanted, new_bytes);
	if (new_bytes < bytes)
		end_pools((uintptr_t)start + new_bytes, bytes - new_bytes);
	if (!hook.track)
		return real.mremap(start, bytes, new_bytes, flags, wanted);
	struct lock_unmapping left, over = { .from = 0 };
	bool fixed = flags & MREMAP_FIXED;
	/* What is moved goes as a whole, of what shrinks the end: the address is known afterwards, what was there before. */
	uint64_t from = (uintptr_t)start;
	uint64_t kept = !fixed && new_bytes < bytes ? whole_pages(from, new_bytes) : 0;
	uint64_t whole = whole_pages(from, bytes);
	lock_unmap_begin(&hook, &left, from + kept, whole > kept ? whole - kept : 0, OP_mremap);
	if (fixed)
		lock_unmap_begin(&hook, &over, (uintptr_t)wanted, whole_pages((uintptr_t)wanted, new_bytes),
				 OP_mremap);
	void *result = real.mremap(start, bytes, new_bytes, flags, wanted);
	if (result != MAP_FAILED && result != start)
		end_pools((uintptr_t)start, bytes);
	if (is_moved(result, start, bytes, new_bytes))
		lock_unmap_done(&left);
	if (result != MAP_FAILED && fixed)
		lock_unmap_done(&over);
	return result;
}
