/*
 * Five philosophers at a round table, a fork between each two: each takes the left one, and waits for the right one.
 *
 * RUN: whoholds run --set blocked=1s %prog
 * HANGS: yes
 * TIMEOUT: 20
 * KINDS: deadlock
 * EXPECT: error deadlock: 5 threads have waited for one another
 * EXPECT: "kant"
 * EXPECT: "hegel"
 * EXPECT: "marx"
 * EXPECT: "hume"
 * EXPECT: "locke"
 * EXPECT-JSON: finding("deadlock") | (.threads | length) == 5
 * EXPECT-JSON: finding("deadlock") | [.stacks[] | select(.role == "acquired")] | length == 5
 * EXPECT-JSON: finding("deadlock") | has_frame("waits"; "dine"; {{line right}}) and has_frame("acquired"; "dine"; {{line left}})
 * EXPECT-DUMP: philosophers.c:{{line right}}
 * EXPECT-REPORT: philosophers.c:{{line left}}
 */
#include "lib/show.h"

#define SEATS 5

static const char *const names[SEATS] = { "kant", "hegel", "marx", "hume", "locke" };
static pthread_mutex_t forks[SEATS];
static pthread_barrier_t all_have_one;

static void dine(int seat)
{
	pthread_mutex_t *left = &forks[seat], *right = &forks[(seat + 1) % SEATS];

	pthread_mutex_lock(left); /* line: left */
	pthread_barrier_wait(&all_have_one);
	pthread_mutex_lock(right); /* line: right */
	pthread_mutex_unlock(right);
	pthread_mutex_unlock(left);
}

static void *philosopher(void *name)
{
	int seat = (int)((const char *const *)name - names);

	show_thread(names[seat]);
	dine(seat);
	return NULL;
}

int main(void)
{
	pthread_t threads[SEATS];

	pthread_barrier_init(&all_have_one, NULL, SEATS);
	for (int i = 0; i < SEATS; i++)
		pthread_mutex_init(&forks[i], NULL);
	for (int i = 0; i < SEATS; i++)
		threads[i] = thread_start(philosopher, (void *)&names[i]);
	for (int i = 0; i < SEATS; i++)
		pthread_join(threads[i], NULL);
	return 0;
}
