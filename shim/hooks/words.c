#include "hooks/words.h"

#include <linux/futex.h>

#include "base/hash.h"
#include "platform/libc.h"

/* Of pthread_mutex_t.__data.__kind, beyond the type in its two lowest bits. */
#define MUTEX_ROBUST 16
#define MUTEX_INHERITS 32
#define MUTEX_PROTECTS 64
#define MUTEX_SHARED 128
#define MUTEX_ELIDED 256

/* Of the lock word of one with a priority ceiling: what is not the ceiling. */
#define CEILING_REST 0x0007ffff

/* Of pthread_rwlock_t.__data.__readers: flags below the number of readers. */
#define RWLOCK_WRITING 1u /* the phase: a writer's, if RWLOCK_WRLOCKED too */
#define RWLOCK_WRLOCKED 2u
#define RWLOCK_READERS_SHIFT 3

#define LOAD(word) __atomic_load_n(&(word), __ATOMIC_ACQUIRE)

static struct lock_words words_of_mutex(const pthread_mutex_t *mutex)
{
	int kind = LOAD(mutex->__data.__kind);
	int word = LOAD(mutex->__data.__lock);
	struct lock_words words = { .owner = LOAD(mutex->__data.__owner), .shared = kind & MUTEX_SHARED };

	if (kind < 0)
		return words; /* destroyed */
	if (kind & (MUTEX_ROBUST | MUTEX_INHERITS)) {
		word &= FUTEX_TID_MASK;
		words.owner = word;
	} else if (kind & MUTEX_PROTECTS) {
		word &= CEILING_REST;
	}
	int type = kind & 3;
	words.checks_owner = type == PTHREAD_MUTEX_ERRORCHECK || type == PTHREAD_MUTEX_RECURSIVE ||
			     (kind & (MUTEX_ROBUST | MUTEX_INHERITS));
	if (word)
		words.state = WORD_TAKEN;
	else if (!(kind & MUTEX_ELIDED))
		words.state = WORD_FREE;
	return words;
}

static struct lock_words words_of_rwlock(const pthread_rwlock_t *lock)
{
	uint32_t word = LOAD(lock->__data.__readers);
	uint32_t readers = word >> RWLOCK_READERS_SHIFT;
	struct lock_words words = { .shared = lock->__data.__shared, .state = WORD_TAKEN };

	if (!readers && !(word & RWLOCK_WRLOCKED))
		words.state = WORD_FREE;
	else if ((word & RWLOCK_WRITING) && (word & RWLOCK_WRLOCKED))
		words.owner = LOAD(lock->__data.__cur_writer);
	else if (!(word & RWLOCK_WRITING))
		words.readers = readers;
	return words;
}

/* The value of a spin lock that nobody has. */
#if defined __x86_64__ || defined __i386__
#define SPIN_FREE 1
#else
#define SPIN_FREE 0
#endif

static struct lock_words words_of_spin(const volatile int *lock)
{
	return (struct lock_words){ .state = LOAD(*lock) == SPIN_FREE ? WORD_FREE : WORD_TAKEN };
}

struct lock_words words_of(enum kind kind, uint64_t handle)
{
	const void *lock = (const void *)(uintptr_t)handle;
	switch (kind) {
	case KIND_MUTEX:
		return words_of_mutex(lock);
	case KIND_RWLOCK:
		return words_of_rwlock(lock);
	case KIND_SPIN:
		return words_of_spin(lock);
	default:
		return (struct lock_words){ .state = WORD_UNKNOWN };
	}
}

/* The start of glibc's struct pthread_barrier. */
struct barrier_words {
	uint32_t in;            /* threads that have come, in all rounds */
	uint32_t current_round; /* of these, those of rounds that are complete */
	uint32_t count;
};

uint32_t words_waiters(enum kind kind, uint64_t handle)
{
	if (kind == KIND_COND) {
		const pthread_cond_t *cond = (const pthread_cond_t *)(uintptr_t)handle;
		return LOAD(cond->__data.__wrefs) >> 3;
	}
	if (kind == KIND_BARRIER) {
		const struct barrier_words *barrier = (const struct barrier_words *)(uintptr_t)handle;
		uint32_t waiting = LOAD(barrier->in) - LOAD(barrier->current_round);
		return waiting < LOAD(barrier->count) ? waiting : 0;
	}
#if __WORDSIZE == 64 && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	/* One word: the value, and above it those that wait. Who takes one leaves at the same moment. */
	if (kind == KIND_SEM) {
		uint64_t word = LOAD(*(const uint64_t *)(uintptr_t)handle);
		return (uint32_t)word ? 0 : (uint32_t)(word >> 32);
	}
#endif
	return 0;
}

uint64_t words_left(uint64_t rwlock)
{
	const pthread_rwlock_t *lock = (const pthread_rwlock_t *)(uintptr_t)rwlock;
	uint64_t phase = (uint64_t)LOAD(lock->__data.__readers) << 32 | LOAD(lock->__data.__writers);
	uint64_t futexes =
	    (uint64_t)LOAD(lock->__data.__wrphase_futex) << 32 | LOAD(lock->__data.__writers_futex);
	if (lock->__data.__shared || !(phase | futexes) || words_of_rwlock(lock).state != WORD_FREE)
		return 0;
	return hash_add(hash_add(1, phase), futexes) | 1;
}
