/*
 * What tracking costs a lock that nobody else wants, ten frames down. Run by scripts/bench.
 *
 *   lock_pairs mutex [COUNT [SETTLE]]   pthread_mutex_lock and unlock
 *   lock_pairs nested [COUNT [SETTLE]]  two mutexes, one within the other
 *   lock_pairs reader [COUNT [SETTLE]]  pthread_rwlock_rdlock and unlock
 *   lock_pairs own [COUNT]              one thread with a mutex of its own, then two, each with its own
 *
 * Prints "ns", of CPU time, a pair (nested: the two pairs). `own` prints "one" and "two": nanoseconds of the clock a pair
 * in a thread, the best of 32 slices of COUNT each, in turn (others use the machine as well). SETTLE: first a few pairs and
 * a pause of so many milliseconds, twice.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "bench/bench.h"

static pthread_mutex_t outer = PTHREAD_MUTEX_INITIALIZER, inner = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t table = PTHREAD_RWLOCK_INITIALIZER;
static volatile long counter;

static void mutex_pairs(long count)
{
	for (long i = 0; i < count; i++) {
		pthread_mutex_lock(&outer);
		counter++;
		pthread_mutex_unlock(&outer);
	}
}

static void nested_pairs(long count)
{
	for (long i = 0; i < count; i++) {
		pthread_mutex_lock(&outer);
		pthread_mutex_lock(&inner);
		counter++;
		pthread_mutex_unlock(&inner);
		pthread_mutex_unlock(&outer);
	}
}

static void reader_pairs(long count)
{
	for (long i = 0; i < count; i++) {
		pthread_rwlock_rdlock(&table);
		counter++;
		pthread_rwlock_unlock(&table);
	}
}

/* Far apart: what is measured is the tracker's sharing, not the program's. */
struct owner {
	pthread_mutex_t lock;
	volatile long counter;
	pthread_t thread;
	atomic_int *missing;
	long count;
	double ns;
} __attribute__((aligned(256)));

static void *owner_run(void *argument)
{
	struct owner *owner = argument;
	double begin;

	/* Not asleep: a thread that wakes up late would have been alone for most of a slice. */
	atomic_fetch_sub(owner->missing, 1);
	/* valgrind runs one thread at a time, which is not to be one that waits. */
	for (unsigned looks = 1; atomic_load_explicit(owner->missing, memory_order_relaxed); looks++)
		if (looks % 256 == 0)
			sched_yield();
	begin = wall_ns();
	for (long i = 0; i < owner->count; i++) {
		pthread_mutex_lock(&owner->lock);
		owner->counter++;
		pthread_mutex_unlock(&owner->lock);
	}
	owner->ns = (wall_ns() - begin) / (double)owner->count;
	return NULL;
}

/* Nanoseconds a pair in the slower of the threads. */
static double owners_slice(struct owner *owners, int threads, long count)
{
	atomic_int missing = threads;
	double slowest = 0;

	for (int i = 0; i < threads; i++) {
		owners[i].count = count;
		owners[i].missing = &missing;
		if (pthread_create(&owners[i].thread, NULL, owner_run, &owners[i]))
			abort();
	}
	for (int i = 0; i < threads; i++) {
		pthread_join(owners[i].thread, NULL);
		if (owners[i].ns > slowest)
			slowest = owners[i].ns;
	}
	return slowest;
}

static void own(long count)
{
	static struct owner owners[2] = { { .lock = PTHREAD_MUTEX_INITIALIZER },
					  { .lock = PTHREAD_MUTEX_INITIALIZER } };
	double best[2] = { 0, 0 };

	for (int slice = 0; slice < 64; slice++) {
		double ns = owners_slice(owners, 1 + slice % 2, count);

		if (slice < 2 || ns < best[slice % 2])
			best[slice % 2] = ns;
	}
	printf("one %.2f\ntwo %.2f\n", best[0], best[1]);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*pairs)(long);
	} modes[] = { { "mutex", mutex_pairs }, { "nested", nested_pairs }, { "reader", reader_pairs } };
	const char *mode = argc > 1 ? argv[1] : "";
	long count = number_argument(argc, argv, 2, 1000000);

	for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
		if (strcmp(mode, modes[i].name) == 0) {
			double begin;

			settle(modes[i].pairs, number_argument(argc, argv, 3, 0));
			begin = cpu_ns();
			down(10, modes[i].pairs, count);
			printf("ns %.2f\n", (cpu_ns() - begin) / (double)count);
			return 0;
		}
	if (strcmp(mode, "own") == 0) {
		own(count);
		return 0;
	}
	fprintf(stderr, "usage: lock_pairs mutex|nested|reader|own [COUNT [SETTLE]]\n");
	return 2;
}
