/* An object with three locks in it, which its end destroys, held or not. */
#ifndef THREE_LOCKS_H
#define THREE_LOCKS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#define THREE_LOCKS 3

struct three_locks {
	pthread_mutex_t locks[THREE_LOCKS];
};

static inline struct three_locks *three_locks_new(void)
{
	struct three_locks *made = malloc(sizeof *made);

	for (int i = 0; i < THREE_LOCKS; i++)
		pthread_mutex_init(&made->locks[i], NULL);
	return made;
}

/* Takes all of them, and gives them back unless they are to be `held` to the end. */
static inline void three_locks_end(struct three_locks *these, bool held)
{
	for (int i = 0; i < THREE_LOCKS; i++)
		pthread_mutex_lock(&these->locks[i]);
	for (int i = 0; i < THREE_LOCKS && !held; i++)
		pthread_mutex_unlock(&these->locks[i]);
	for (int i = 0; i < THREE_LOCKS; i++)
		pthread_mutex_destroy(&these->locks[i]);
	free(these);
}

#endif
