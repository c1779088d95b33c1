#include "platform/lock.h"

#include "platform/sys.h"

/* About a second in all: long past any critical section of ours on any machine. */
#define SPINS 200
#define YIELDS 20000

bool lock_try(struct lock *lock)
{
	for (unsigned try = 0; try < SPINS; try++) {
		if (lock_take_once(lock))
			return true;
		__builtin_ia32_pause();
	}
	return false;
}

bool lock_take_later(struct lock *lock)
{
	for (unsigned try = 0; try < SPINS + YIELDS; try++) {
		if (lock_take_once(lock))
			return true;
		if (try < SPINS)
			__builtin_ia32_pause();
		else
			sys_sleep(50000);
	}
	return false;
}
