/*
 * Nested monitors: a thread waits for a condition with the lock of an outer object
 * still held, and whoever would signal it goes through the outer object first. main goes on
 * with something else, so it takes the limit to tell.
 *
 * RUN: whoholds run --set blocked=1s %prog
 * HANGS: yes
 * TIMEOUT: 20
 * KINDS: stuck-holder
 * EXPECT: error stuck-holder:
 * EXPECT: (nested monitors)
 * EXPECT-JSON: finding("stuck-holder") | subjects == ["taker"]
 * EXPECT-JSON: finding("stuck-holder") | has_frame_of("blocked"; {{tid taker}}; "take"; {{line waits}})
 * EXPECT-JSON: finding("stuck-holder") | has_frame_of("acquired"; {{tid taker}}; "take"; {{line enters}})
 * EXPECT-JSON: finding("stuck-holder") | has_frame_of("waits"; {{tid giver}}; "give"; {{line wants}})
 * EXPECT-JSON: finding("stuck-holder") | has_object("mutex"; "{{addr store}}")
 */
#include "lib/show.h"

static pthread_mutex_t store = PTHREAD_MUTEX_INITIALIZER; /* of all shelves */
static pthread_mutex_t shelf = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t filled = PTHREAD_COND_INITIALIZER;
static int goods;

static void take(void)
{
	pthread_mutex_lock(&store); /* line: enters */
	pthread_mutex_lock(&shelf);
	while (!goods)
		pthread_cond_wait(&filled, &shelf); /* line: waits */
	goods--;
	pthread_mutex_unlock(&shelf);
	pthread_mutex_unlock(&store);
}

static void give(void)
{
	pthread_mutex_lock(&store); /* line: wants */
	pthread_mutex_lock(&shelf);
	goods++;
	pthread_cond_signal(&filled);
	pthread_mutex_unlock(&shelf);
	pthread_mutex_unlock(&store);
}

static void *taker(void *unused)
{
	show_thread("taker");
	take();
	return unused;
}

static void *giver(void *unused)
{
	show_thread("giver");
	sleep_ms(200);
	give();
	return unused;
}

int main(void)
{
	show_addr("store", &store);
	thread_start(taker, NULL);
	thread_start(giver, NULL);
	for (;;)
		sleep_ms(50);
}
