/* What liblocals.so and liblocals_late.so bring: the calling thread's lock, taken. */
#ifndef WH_TESTPROGS_LOCALS_H
#define WH_TESTPROGS_LOCALS_H

#include <pthread.h>

pthread_mutex_t *locals_lock(void);
pthread_mutex_t *locals_late_lock(void);

#endif
