/* Has a lock in its thread-local storage, one for each thread. */
#include "shared/locals.h"

#ifndef LOCALS
#define LOCALS(name) locals_##name
#define SESSION session
#endif

static __thread struct {
	char pad[100];
	pthread_mutex_t lock;
} SESSION;

pthread_mutex_t *LOCALS(lock)(void)
{
	pthread_mutex_lock(&SESSION.lock); /* line: locks */
	return &SESSION.lock;
}
