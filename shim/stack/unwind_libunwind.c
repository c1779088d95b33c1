/*
 * libunwind, as the reference that our own unwinding is compared with: the only file that knows of it.
 * It is loaded when somebody asks for comparisons and is no part of the library otherwise: it takes locks that
 * are hooked, the loader's lock too, changes the signal mask, opens files and keeps a pipe open. (Nor could it be
 * linked in: the archive that distributions ship is not position-independent.)
 */
#include "stack/unwind.h"

#include <dlfcn.h>
#include <errno.h>

#if __has_include(<libunwind.h>)
#define UNW_LOCAL_ONLY
#include <libunwind.h>

/* The names behind libunwind.h's macros. Getting the context has to be a call from here, so it is one by pointer too. */
#define NAME_OF(name) NAME_TEXT(name)
#define NAME_TEXT(name) #name

static struct {
	__typeof__(&unw_init_local) init_local;
	__typeof__(&unw_step) step;
	__typeof__(&unw_get_reg) get_reg;
	int (*get_context)(unw_context_t *context);
} libunwind;

/* Threads that are just comparing. */
static uint32_t users;

int unwind_reference_load(void)
{
	void *library = dlopen("libunwind.so.8", RTLD_NOW | RTLD_LOCAL);
	if (!library)
		return -ENOENT;
	libunwind.init_local = (__typeof__(libunwind.init_local))dlsym(library, NAME_OF(unw_init_local));
	libunwind.get_reg = (__typeof__(libunwind.get_reg))dlsym(library, NAME_OF(unw_get_reg));
	libunwind.get_context = (__typeof__(libunwind.get_context))dlsym(library, "_Ux86_64_getcontext");
	libunwind.step = (__typeof__(libunwind.step))dlsym(library, NAME_OF(unw_step));
	__typeof__(&unw_set_caching_policy) set_caching =
	    (__typeof__(&unw_set_caching_policy))dlsym(library, NAME_OF(unw_set_caching_policy));
	unw_addr_space_t *local = dlsym(library, NAME_OF(unw_local_addr_space));
	if (!libunwind.init_local || !libunwind.get_reg || !libunwind.get_context || !set_caching || !local) {
		libunwind.step = NULL;
		return -ENOENT;
	}
	/* What it would remember of modules that go away nobody could tell it to forget. */
	set_caching(*local, UNW_CACHE_NONE);
	return 0;
}

static NOINLINE enum unwind_end collect(uint64_t from_sp, uint64_t *pcs, uint32_t limit, uint32_t *ret_count)
{
	unw_context_t context;
	unw_cursor_t cursor;
	bool reached = false;
	libunwind.get_context(&context);
	if (libunwind.init_local(&cursor, &context) < 0)
		return UNWIND_LOST;
	for (unsigned skipped = 0;;) {
		unw_word_t pc, sp;
		if (libunwind.get_reg(&cursor, UNW_REG_IP, &pc) < 0 ||
		    libunwind.get_reg(&cursor, UNW_REG_SP, &sp) < 0)
			return UNWIND_LOST;
		reached = reached || sp == from_sp;
		if (!reached && ++skipped > 16)
			return UNWIND_LOST;
		if (!pc)
			return UNWIND_OUTERMOST;
		if (reached && *ret_count == limit)
			return UNWIND_FULL;
		if (reached)
			pcs[(*ret_count)++] = pc;
		int step = libunwind.step(&cursor);
		if (step <= 0)
			return step ? UNWIND_LOST : UNWIND_OUTERMOST;
	}
}

enum unwind_end unwind_reference(const void *frame, uint64_t *pcs, uint32_t limit, uint32_t *ret_count)
{
	*ret_count = 0;
	if (!libunwind.step)
		return UNWIND_LOST;
	int kept = errno;
	__atomic_fetch_add(&users, 1, __ATOMIC_SEQ_CST);
	enum unwind_end end = collect((uintptr_t)frame + 16, pcs, limit, ret_count);
	errno = kept;
	__atomic_fetch_sub(&users, 1, __ATOMIC_SEQ_CST);
	return end;
}

/* A thread that is not here may have libunwind's own locks, for ever. */
void unwind_reference_fork_child(void)
{
	if (users)
		libunwind.step = NULL;
}

#else

int unwind_reference_load(void)
{
	return -ENOENT;
}

enum unwind_end unwind_reference(const void *frame, uint64_t *pcs, uint32_t limit, uint32_t *ret_count)
{
	(void)frame, (void)pcs, (void)limit;
	*ret_count = 0;
	return UNWIND_LOST;
}

void unwind_reference_fork_child(void)
{
}

#endif
