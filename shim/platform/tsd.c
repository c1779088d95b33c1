#include "platform/tsd.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>

static pthread_key_t key;
static bool made;
static void (*on_end)(void);

/* The value counts the rounds that are still to come. */
static void key_destructor(void *value)
{
	uintptr_t rounds = (uintptr_t)value;
	if (rounds > 1)
		pthread_setspecific(key, (void *)(rounds - 1));
	else
		on_end();
}

void tsd_init(void (*ends)(void))
{
	on_end = ends;
	made = pthread_key_create(&key, key_destructor) == 0;
}

void tsd_arm(void)
{
	if (!made)
		return;
	int kept_errno = errno;
	pthread_setspecific(key, (void *)(uintptr_t)PTHREAD_DESTRUCTOR_ITERATIONS);
	errno = kept_errno;
}
