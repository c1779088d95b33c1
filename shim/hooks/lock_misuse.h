/*
 * What programs do to locks and must not: the questions that the hooks ask before the real call, and only
 * where something is not as usual. What is recorded and libc's own words (hooks/words.h) have to agree; what is found goes to
 * registry/misuse.h. The program's call goes on as if nothing had been asked.
 *
 * Context: hook. Keep errno.
 */
#ifndef WH_HOOKS_LOCK_MISUSE_H
#define WH_HOOKS_LOCK_MISUSE_H

#include "hooks/hook.h"
#include "registry/misuse.h"

/* The calling thread is about to unlock what it has no hold of. `frame` is that of the hook. */
void lock_misuse_unlock(enum kind kind, uint64_t handle, enum op op, const void *frame);

/* A lock, semaphore, barrier or condition variable is about to be destroyed, or initialised. */
void lock_misuse_destroy(struct hook *hook, enum kind kind, uint64_t handle, enum op op);
void lock_misuse_init(struct hook *hook, enum kind kind, uint64_t handle, enum op op);

/*
 * The memory from `from` on is about to be freed: whoever holds a lock in it is told of. The holds are forgotten.
 */
void lock_misuse_memory(uint64_t from, uint64_t bytes, enum op op, const void *frame);

/*
 * The same of mappings, in two steps: what is in memory that is about to be unmapped, and that it is gone, which only
 * the kernel's answer tells. Noted is the newest hold, or the oldest wait; only of memory that no other process
 * has, and that is not in another place as well. Between processes a lock lives on.
 */
struct lock_unmapping {
	uint64_t from, to;
	struct rec_misuse what;
	bool used;    /* something there is held or waited for */
	bool certain; /* so much so that `what` may be told */
};

void lock_unmap_begin(struct hook *hook, struct lock_unmapping *unmapping, uint64_t from, uint64_t bytes,
		      enum op op);
void lock_unmap_done(const struct lock_unmapping *unmapping);
/* The same of a module whose destructors have run in between, which may have given back what it held. */
void lock_unload_done(struct lock_unmapping *unmapping);

/*
 * In a fork child, the calling thread is about to wait for a lock. Noted where it was taken by a thread of the parent that
 * is not in this process: then nobody will ever release it.
 */
void lock_misuse_forked(struct hook *hook, enum kind kind, uint64_t handle, enum op op);

/*
 * The calling thread is about to use a mutex, a condition or a readers-writer lock, or has been refused it: noted where that is
 * destroyed. And has destroyed one, which a later use of it is told with.
 */
void lock_misuse_use(enum kind kind, uint64_t handle, enum op op, stack_id stack);
void lock_misuse_destroyed(struct hook *hook, enum kind kind, uint64_t handle, enum op op);

/* The calling thread is about to wait for a condition with a mutex that it has no hold of. */
void lock_misuse_wait(struct hook *hook, uint64_t cond, uint64_t mutex, enum op op);

#endif
