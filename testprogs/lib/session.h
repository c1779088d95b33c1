/* A session with a lock of its own, on the heap: what programs that free it in time, or not, have in common. */
#ifndef TESTPROGS_SESSION_H
#define TESTPROGS_SESSION_H

#include <pthread.h>

struct session {
	int number;
	pthread_mutex_t lock;
	pthread_cond_t changed;
};

/* Its lock and its condition are initialised by calls. */
struct session *session_new(int number);

/* The lock is free, and nobody waits. */
void session_free(struct session *session);

#endif
