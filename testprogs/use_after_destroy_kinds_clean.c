/*
 * The twin: conditions and readers-writer locks that lie where others were destroyed, and have been initialised since, by a call, by the
 * static initialiser, by zeroes, as another kind of thing, or in a block that has got their memory.
 *
 * KINDS: none
 */
#include <stdlib.h>
#include <string.h>
#include <threads.h>

#include "lib/check.h"
#include "lib/show.h"

struct queue {
	pthread_cond_t filled;
	pthread_rwlock_t names;
};

static struct queue queue;

static void use(struct queue *own)
{
	CHECK_EQUAL(pthread_cond_signal(&own->filled), 0);
	CHECK_EQUAL(pthread_rwlock_rdlock(&own->names), 0);
	CHECK_EQUAL(pthread_rwlock_unlock(&own->names), 0);
	CHECK_EQUAL(pthread_rwlock_wrlock(&own->names), 0);
	CHECK_EQUAL(pthread_rwlock_unlock(&own->names), 0);
	CHECK_EQUAL(pthread_cond_broadcast(&own->filled), 0);
}

static void use_up(struct queue *own)
{
	use(own);
	CHECK_EQUAL(pthread_cond_destroy(&own->filled), 0);
	CHECK_EQUAL(pthread_rwlock_destroy(&own->names), 0);
}

static void again_in_its_place(void)
{
	for (int i = 0; i < 3; i++) {
		pthread_cond_init(&queue.filled, NULL);
		pthread_rwlock_init(&queue.names, NULL);
		use_up(&queue);
	}
	queue.filled = (pthread_cond_t)PTHREAD_COND_INITIALIZER;
	queue.names = (pthread_rwlock_t)PTHREAD_RWLOCK_INITIALIZER;
	use_up(&queue);
	memset(&queue, 0, sizeof queue);
	use_up(&queue);
}

static void again_in_its_memory(void)
{
	for (int i = 0; i < 100; i++) {
		struct queue *own = calloc(1, sizeof *own);
		CHECK(own);
		use_up(own);
		free(own);
	}
}

static void as_another_kind(void)
{
	union {
		pthread_cond_t cond;
		pthread_rwlock_t rwlock;
		cnd_t c11;
	} place;
	pthread_rwlock_init(&place.rwlock, NULL);
	pthread_rwlock_wrlock(&place.rwlock);
	pthread_rwlock_unlock(&place.rwlock);
	pthread_rwlock_destroy(&place.rwlock);
	pthread_cond_init(&place.cond, NULL);
	pthread_cond_signal(&place.cond);
	pthread_cond_destroy(&place.cond);
	cnd_init(&place.c11);
	cnd_signal(&place.c11);
	cnd_destroy(&place.c11);
	pthread_rwlock_init(&place.rwlock, NULL);
	pthread_rwlock_rdlock(&place.rwlock);
	pthread_rwlock_unlock(&place.rwlock);
	pthread_rwlock_destroy(&place.rwlock);
}

int main(void)
{
	again_in_its_place();
	again_in_its_memory();
	as_another_kind();
	return 0;
}
