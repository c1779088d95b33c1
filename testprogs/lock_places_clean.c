/*
 * The clean twin: locks in the same places, taken in one order, and whoever waits is woken.
 *
 * KINDS: none
 * BUILD: -O1
 */
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "lib/show.h"

struct cache {
	char pad[16];
	pthread_mutex_t lock;
};

struct taker {
	long pad;
	sem_t sem;
};

static struct {
	int n;
	pthread_mutex_t lock;
} shards[8];

static __thread struct {
	int n;
	pthread_mutex_t lock;
} state;

struct all {
	struct cache *cache;
	struct taker *taker;
	pthread_mutex_t *shared, *local;
	pthread_cond_t *changed;
	pthread_barrier_t all_begin;
	atomic_bool done;
};

static struct cache *cache_new(void)
{
	return calloc(1, sizeof(struct cache));
}

static struct taker *taker_new(void)
{
	struct taker *taker = calloc(1, sizeof(*taker));
	sem_init(&taker->sem, 0, 0);
	return taker;
}

static void take_two(struct all *all, pthread_mutex_t *one, pthread_mutex_t *other)
{
	pthread_barrier_wait(&all->all_begin);
	pthread_mutex_lock(one);
	sleep_ms(1);
	pthread_mutex_lock(other);
	pthread_mutex_unlock(other);
	pthread_mutex_unlock(one);
}

static void *first(void *all_)
{
	struct all *all = all_;
	take_two(all, all->local, &all->cache->lock);
	return NULL;
}

static void *second(void *all_)
{
	struct all *all = all_;
	pthread_mutex_t mine[3];
	for (int i = 0; i < 3; i++)
		pthread_mutex_init(&mine[i], NULL);
	pthread_mutex_lock(&mine[1]);
	take_two(all, &all->cache->lock, all->shared);
	pthread_mutex_unlock(&mine[1]);
	return NULL;
}

static void *third(void *all_)
{
	struct all *all = all_;
	pthread_mutex_lock(&state.lock);
	take_two(all, all->shared, &shards[3].lock);
	pthread_mutex_unlock(&state.lock);
	return NULL;
}

static void *fourth(void *all_)
{
	struct all *all = all_;
	take_two(all, all->local, &shards[3].lock);
	return NULL;
}

static void *taker(void *all_)
{
	struct all *all = all_;
	sem_wait(&all->taker->sem);
	return NULL;
}

static void *waiter(void *all_)
{
	struct all *all = all_;
	pthread_mutex_t own = PTHREAD_MUTEX_INITIALIZER;
	pthread_mutex_lock(&own);
	while (!all->done)
		pthread_cond_timedwait(all->changed, &own, &(struct timespec){ .tv_nsec = 1 });
	pthread_mutex_unlock(&own);
	return NULL;
}

int main(void)
{
	pthread_mutex_t local = PTHREAD_MUTEX_INITIALIZER;
	pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
	int fd = memfd_create("queue", 0);
	if (fd < 0 || ftruncate(fd, 4096) != 0)
		return 77;
	char *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (shared == MAP_FAILED)
		return 77;
	struct all all = { cache_new(), taker_new(), (pthread_mutex_t *)(void *)(shared + 64),
			   &local,      &changed,    { { 0 } },
			   false };
	pthread_barrier_init(&all.all_begin, NULL, 4);
	void *(*const routines[])(void *) = { taker, waiter, first, second, third, fourth };
	pthread_t threads[6];
	for (int i = 0; i < 6; i++)
		threads[i] = thread_start(routines[i], &all);
	sleep_ms(300); /* the reporter thread sees who waits */
	sem_post(&all.taker->sem);
	all.done = true;
	for (int i = 0; i < 6; i++)
		pthread_join(threads[i], NULL);
	munmap(shared, 4096);
	sem_destroy(&all.taker->sem);
	free(all.taker);
	free(all.cache);
	return 0;
}
