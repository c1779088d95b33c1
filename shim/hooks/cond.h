/*
 * A condition wait gives the mutex up and takes it back, inside libc where no
 * hook sees it. So the hold is parked for that time, and whatever way the wait
 * ends (also by cancellation: POSIX has the mutex taken back before the first
 * cleanup handler runs), the hold is there again.
 *
 *   struct cond_wait wait CLEANUP(cond_wait_end) = cond_wait_begin(&hook, ...);
 *   wait.result = real.pthread_cond_wait(cond, mutex);
 *   return wait.result;
 *
 * Context: hook. Keep errno.
 */
#ifndef WH_HOOKS_COND_H
#define WH_HOOKS_COND_H

#include "hooks/hook.h"
#include "platform/libc.h"

/* In glibc's word of those that wait: set by pthread_cond_destroy, and by nothing else. */
#define COND_DESTROYED 4u

/* Whether that mark is there. One that nobody has ever initialised may have it by chance. `cond`: a pthread_cond_t or cnd_t. */
static inline bool cond_is_destroyed(const void *cond)
{
	const pthread_cond_t *words = cond;
	return __atomic_load_n(&words->__data.__wrefs, __ATOMIC_RELAXED) & COND_DESTROYED;
}

struct cond_wait {
	struct hook *hook;
	uint64_t mutex;
	bool parked;
	uint16_t op;
	int result; /* of the real call, an errno; 0 as long as it has not returned */
};

struct cond_wait cond_wait_begin(struct hook *hook, const void *cond, const void *mutex, enum op op,
				 bool timed);
void cond_wait_end(struct cond_wait *wait);

/* The calling thread is about to signal, or broadcast. */
void cond_signal(struct hook *hook, const void *cond, enum op op);

#endif
