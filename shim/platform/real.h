/*
 * The real functions behind the ones that we stand in front of, resolved as one
 * set at the first hook of the process (ld.so calls our malloc before any
 * constructor has run).
 *
 * While they are being resolved, dlsym itself may allocate: platform/early.h
 * serves that. A name that libc does not have stays NULL; its hook is then never
 * reached, since nobody can have linked to it.
 */
#ifndef WH_PLATFORM_REAL_H
#define WH_PLATFORM_REAL_H

#include "base/context.h"
#include "platform/libc.h"
#include "platform/missing.h"

struct real_functions {
#define SYM(name, need, version) __typeof__(&name) name;
#include "platform/symbols.def"
};

extern HIDDEN struct real_functions real;
extern HIDDEN int real_state; /* 0: not resolved, 1: being resolved (by this or another thread), 2: done */

/*
 * Resolves if that has not happened yet; cheap afterwards. Return: false while the calling thread
 * is itself in the middle of resolving (only the allocator can be reached then: use early.h).
 *
 * Context: hook.
 */
bool real_resolve(void);

static inline bool real_ready(void)
{
	return __builtin_expect(__atomic_load_n(&real_state, __ATOMIC_ACQUIRE) == 2, 1) || real_resolve();
}

/* A function by name from the objects after us (RTLD_NEXT), or in all of them (RTLD_DEFAULT). Context: init. */
void *real_find(const char *name, const char *version);
void *real_find_anywhere(const char *name);

#endif
