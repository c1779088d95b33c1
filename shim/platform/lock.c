#include "platform/lock.h"

#include "platform/sys.h"

/* About a second in all: long past any critical section of ours on any machine. */
#define SPINS 200
#define YIELDS 20000

static bool take_once(struct lock *lock)
{
	uint32_t expected = 0;
	return __atomic_load_n(&lock->word, __ATOMIC_RELAXED) == 0 &&
	       __atomic_compare_exchange_n(&lock->word, &expected, 1, false, __ATOMIC_ACQUIRE,
					   __ATOMIC_RELAXED);
}

bool lock_try(struct lock *lock)
{
	for (unsigned try = 0; try < SPINS; try++) {
		if (take_once(lock))
			return true;
		__builtin_ia32_pause();
	}
	return false;
}

bool lock_take(struct lock *lock)
{
	for (unsigned try = 0; try < SPINS + YIELDS; try++) {
		if (take_once(lock))
			return true;
		if (try < SPINS)
			__builtin_ia32_pause();
		else
			sys_sleep(50000);
	}
	return false;
}

void lock_release(struct lock *lock)
{
	__atomic_store_n(&lock->word, 0, __ATOMIC_RELEASE);
}
