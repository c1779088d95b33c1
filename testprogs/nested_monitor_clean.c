/*
 * nested_monitor, put right: the outer lock is given back before the wait.
 *
 * RUN: whoholds run --set blocked=300ms %prog
 * TIMEOUT: 20
 * KINDS: none
 */
#include "lib/show.h"

static pthread_mutex_t store = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t shelf = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t filled = PTHREAD_COND_INITIALIZER;
static int goods;

static void *taker(void *unused)
{
	pthread_mutex_lock(&store);
	pthread_mutex_lock(&shelf);
	pthread_mutex_unlock(&store);
	while (!goods)
		pthread_cond_wait(&filled, &shelf);
	goods--;
	pthread_mutex_unlock(&shelf);
	return unused;
}

static void *giver(void *unused)
{
	sleep_ms(1500);
	pthread_mutex_lock(&store);
	pthread_mutex_lock(&shelf);
	goods++;
	pthread_cond_signal(&filled);
	pthread_mutex_unlock(&shelf);
	pthread_mutex_unlock(&store);
	return unused;
}

int main(void)
{
	pthread_t threads[] = { thread_start(taker, NULL), thread_start(giver, NULL) };
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	return 0;
}
