/*
 * Giving a mutex back. A hold ends before the real unlock, since afterwards
 * another thread may have the lock; but an unlock can be refused, and then the
 * hold must be as it was.
 *
 *   mutex_release_begin(&release, mutex);
 *   result = real.pthread_mutex_unlock(mutex);
 *   mutex_release_result(&release, result == 0);
 *
 * Context: hook. Keep errno.
 */
#ifndef WH_HOOKS_MUTEX_H
#define WH_HOOKS_MUTEX_H

#include "platform/libc.h"
#include "registry/hold.h"

struct mutex_release {
	uint64_t handle;
	stack_id stack;
	enum op op;
	bool checked; /* the hold has ended; op and stack would put it back */
	bool later;   /* not ours and probably refused: the hold ends once the real call has agreed */
};

/* Whether it is taken: read out of glibc's own word, since there is no call for it. */
static inline bool mutex_is_taken(const pthread_mutex_t *mutex)
{
	return __atomic_load_n(&mutex->__data.__lock, __ATOMIC_RELAXED) != 0;
}

/* Whether somebody may be asleep for a plain one: 1 is taken, 2 is taken and to be waited for. */
static inline bool mutex_is_wanted(const pthread_mutex_t *mutex)
{
	return __atomic_load_n(&mutex->__data.__lock, __ATOMIC_RELAXED) > 1;
}

/*
 * Whether pthread_mutex_destroy has left its mark there, with which no call but an initialisation goes well. One that
 * nobody has ever initialised may have it by chance, which is no better.
 */
static inline bool mutex_is_destroyed(const pthread_mutex_t *mutex)
{
	return __atomic_load_n(&mutex->__data.__kind, __ATOMIC_RELAXED) == -1;
}

/* `frame` is that of the hook, `op` the call. */
void mutex_release_begin(struct mutex_release *release, const pthread_mutex_t *mutex, enum op op,
			 const void *frame);
void mutex_release_result(const struct mutex_release *release, bool released);

#endif
