/*
 * Two semaphores used as locks, taken in both orders, while a third thread goes on
 * working: that they are used as locks has to be learned from who posts them.
 *
 * HANGS: yes
 * TIMEOUT: 20
 * KINDS: deadlock
 * EXPECT: error deadlock: thread
 * EXPECT: have waited for each other
 * EXPECT-JSON: finding("deadlock") | (.threads | length) == 2 and has_thread({{tid first}}) and has_thread({{tid second}})
 * EXPECT-JSON: finding("deadlock") | has_frame_of("waits"; {{tid first}}; "move"; {{line waits}})
 * EXPECT-JSON: finding("deadlock") | has_frame_of("acquired"; {{tid second}}; "move"; {{line takes}})
 * EXPECT-JSON: finding("deadlock") | has_object("sem"; "{{addr a}}") and has_object("sem"; "{{addr b}}")
 * EXPECT-DUMP: sem_deadlock.c:{{line waits}}
 * EXPECT-REPORT: sem_deadlock.c:{{line takes}}
 */
#include <semaphore.h>

#include "lib/show.h"

static sem_t a, b;
static pthread_barrier_t both;

static void use(sem_t *one)
{
	sem_wait(one);
	sem_post(one);
}

static void move(sem_t *from, sem_t *to)
{
	sem_wait(from); /* line: takes */
	pthread_barrier_wait(&both);
	sem_wait(to); /* line: waits */
	sem_post(to);
	sem_post(from);
}

static void *first(void *unused)
{
	show_thread("first");
	use(&a);
	pthread_barrier_wait(&both);
	move(&a, &b);
	return unused;
}

static void *second(void *unused)
{
	show_thread("second");
	use(&b);
	pthread_barrier_wait(&both);
	move(&b, &a);
	return unused;
}

int main(void)
{
	show_addr("a", &a);
	show_addr("b", &b);
	sem_init(&a, 0, 1);
	sem_init(&b, 0, 1);
	pthread_barrier_init(&both, NULL, 2);
	thread_start(first, NULL);
	thread_start(second, NULL);
	for (;;)
		sleep_ms(50);
}
