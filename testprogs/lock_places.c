/*
 * Four threads in a ring of locks that no symbol names as a whole: one in a block of the heap, one in
 * a shared mapping, one in an array of structs, one in the frame of main. One of them also
 * holds one in its own frame, one in thread-local storage; another thread waits for a semaphore
 * in the heap, another on a condition in the frame of main.
 *
 * Hard because only the process knows what lies around an address, and only while it is so: the report is made by
 * somebody else. The frame is found by return addresses on the stack of a thread that is not stopped.
 *
 * RUN: whoholds run --set blocked=1s %prog
 * HANGS: yes
 * TIMEOUT: 20
 * KINDS: deadlock
 * BUILD: -O1
 * EXPECT: for mutex {{addr heap}} (+16 in a 56-byte block from cache_new lock_places.c:{{line made}}), held by thread
 * EXPECT: for mutex +64 in /memfd:queue, held by thread
 * EXPECT: for mutex shards[3].lock, held by thread
 * EXPECT: for mutex local in the frame of main, held by thread
 * EXPECT-DUMP: holds mutex mine[1] in the frame of second, thread
 * EXPECT-DUMP: holds mutex state.lock of thread
 * EXPECT-DUMP: on semaphore {{addr sem}} (+8 in a 40-byte block from taker_new lock_places.c:{{line sem made}})
 * EXPECT-DUMP: on condition changed in the frame of main, having given up mutex own in the frame of waiter, thread
 * EXPECT-REPORT: for mutex local in the frame of main, held by thread
 * EXPECT-JSON: finding("deadlock") | ._report.objects[] | .address == "{{addr heap}}" and .name == "+16 in a 56-byte block from cache_new lock_places.c:{{line made}}"
 * EXPECT-JSON: finding("deadlock") | ._report.objects[] | .address == "{{addr shared}}" and .name == "+64 in /memfd:queue (deleted)"
 * EXPECT-JSON: finding("deadlock") | ._report.objects[] | .address == "{{addr shard}}" and .name == "shards[3].lock (lock_places .bss)"
 * EXPECT-JSON: finding("deadlock") | ._report.objects[] | .address == "{{addr local}}" and .name == "local in the frame of main (lock_places.c:{{line local}})"
 */
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
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
	pthread_barrier_t each_holds_one;
};

static struct cache *cache_new(void)
{
	return calloc(1, sizeof(struct cache)); /* line: made */
}

static struct taker *taker_new(void)
{
	struct taker *taker = calloc(1, sizeof(*taker)); /* line: sem made */
	sem_init(&taker->sem, 0, 0);
	return taker;
}

static void take_two(struct all *all, pthread_mutex_t *one, pthread_mutex_t *other)
{
	pthread_mutex_lock(one);
	pthread_barrier_wait(&all->each_holds_one);
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
	take_two(all, &shards[3].lock, all->local);
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
	pthread_cond_wait(all->changed, &own);
	pthread_mutex_unlock(&own);
	return NULL;
}

int main(void)
{
	pthread_mutex_t local = PTHREAD_MUTEX_INITIALIZER; /* line: local */
	pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
	int fd = memfd_create("queue", 0);
	if (fd < 0 || ftruncate(fd, 4096) != 0)
		return 77;
	char *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (shared == MAP_FAILED)
		return 77;
	struct all all = { cache_new(), taker_new(), (pthread_mutex_t *)(void *)(shared + 64),
			   &local,      &changed,    { { 0 } } };
	pthread_barrier_init(&all.each_holds_one, NULL, 4);
	show_addr("heap", &all.cache->lock);
	show_addr("sem", &all.taker->sem);
	show_addr("shared", all.shared);
	show_addr("shard", &shards[3].lock);
	show_addr("local", &local);
	void *(*const routines[])(void *) = { taker, waiter, first, second, third, fourth };
	pthread_t threads[6];
	for (int i = 0; i < 6; i++)
		threads[i] = thread_start(routines[i], &all);
	for (int i = 0; i < 6; i++)
		pthread_join(threads[i], NULL);
	return 0;
}
