/*
 * Three threads and three locks in a ring, each holding one and waiting for the
 * next, the first time round.
 *
 * RUN: whoholds run --set blocked=1s %prog
 * HANGS: yes
 * TIMEOUT: 20
 * KINDS: deadlock
 * EXPECT: error deadlock:
 * EXPECT: "ring-0"
 * EXPECT: "ring-1"
 * EXPECT: "ring-2"
 * EXPECT-JSON: finding("deadlock") | (.threads | length) == 3
 * EXPECT-JSON: finding("deadlock") | has_thread({{tid ring-0}}) and has_thread({{tid ring-1}}) and has_thread({{tid ring-2}})
 * EXPECT-JSON: finding("deadlock") | .threads as $ring | [.stacks[] | select(.role == "waits" and (.thread as $one | $ring | index($one)))] | length == 3
 * EXPECT-JSON: finding("deadlock") | [.stacks[] | select(.role == "acquired")] | length == 3
 * EXPECT-JSON: finding("deadlock") | has_frame("waits"; "take_own_and_next"; {{line waits}})
 * EXPECT-JSON: finding("deadlock") | has_frame("acquired"; "take_own_and_next"; {{line takes}})
 * EXPECT-JSON: finding("deadlock") | has_object("mutex"; "{{addr lock-0}}") and has_object("mutex"; "{{addr lock-1}}") and has_object("mutex"; "{{addr lock-2}}")
 * EXPECT-DUMP: cycle3.c:{{line waits}}
 * EXPECT-REPORT: cycle3.c:{{line takes}}
 */
#include <stdint.h>

#include "lib/show.h"

#define RING 3

static pthread_mutex_t locks[RING] = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER,
				       PTHREAD_MUTEX_INITIALIZER };
static pthread_barrier_t all_hold_one;

static void take_own_and_next(uintptr_t number)
{
	pthread_mutex_lock(&locks[number]); /* line: takes */
	pthread_barrier_wait(&all_hold_one);
	pthread_mutex_lock(&locks[(number + 1) % RING]); /* line: waits */
	pthread_mutex_unlock(&locks[(number + 1) % RING]);
	pthread_mutex_unlock(&locks[number]);
}

static void *member(void *argument)
{
	static const char *const names[RING] = { "ring-0", "ring-1", "ring-2" };

	show_thread(names[(uintptr_t)argument]);
	take_own_and_next((uintptr_t)argument);
	return NULL;
}

int main(void)
{
	pthread_t threads[RING];

	show_addr("lock-0", &locks[0]);
	show_addr("lock-1", &locks[1]);
	show_addr("lock-2", &locks[2]);
	pthread_barrier_init(&all_hold_one, NULL, RING);
	for (uintptr_t i = 0; i < RING; i++)
		threads[i] = thread_start(member, (void *)i);
	for (int i = 0; i < RING; i++)
		pthread_join(threads[i], NULL);
	return 0;
}
