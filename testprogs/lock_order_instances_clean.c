/*
 * A chain of stages, thousands of them, each with a lock for what comes in and one for what goes out. Within a
 * stage the first is taken before the second, and the second before the first of the next stage:
 * by their kinds that looks like both orders, but it is one.
 *
 * KINDS: none
 */
#include <stdio.h>
#include <stdlib.h>

#include "lib/show.h"

#define STAGES 5000

struct stage {
	pthread_mutex_t in, out;
};

static struct stage *stages;

static void *hand_on(void *unused)
{
	for (int i = 0; i + 1 < STAGES; i++) {
		pthread_mutex_lock(&stages[i].in);
		pthread_mutex_lock(&stages[i].out);
		pthread_mutex_unlock(&stages[i].in);
		pthread_mutex_lock(&stages[i + 1].in);
		pthread_mutex_unlock(&stages[i + 1].in);
		pthread_mutex_unlock(&stages[i].out);
	}
	return unused;
}

int main(void)
{
	stages = calloc(STAGES, sizeof *stages);
	for (int i = 0; i < STAGES; i++) {
		pthread_mutex_init(&stages[i].in, NULL);
		pthread_mutex_init(&stages[i].out, NULL);
	}
	pthread_t threads[] = { thread_start(hand_on, NULL), thread_start(hand_on, NULL) };
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	free(stages);
	puts("done");
	return 0;
}
