/*
 * barrier_short, put right: as many threads come to the barrier as it was made for,
 * one of them long after the others.
 *
 * TIMEOUT: 20
 * KINDS: none
 */
#include "lib/show.h"

static pthread_barrier_t all_here;

static void *comes(void *unused)
{
	pthread_barrier_wait(&all_here);
	return unused;
}

static void *comes_late(void *unused)
{
	sleep_ms(1500);
	pthread_barrier_wait(&all_here);
	return unused;
}

int main(void)
{
	pthread_barrier_init(&all_here, NULL, 3);
	pthread_t threads[] = { thread_start(comes, NULL), thread_start(comes_late, NULL) };
	pthread_barrier_wait(&all_here);
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	pthread_barrier_destroy(&all_here);
	return 0;
}
