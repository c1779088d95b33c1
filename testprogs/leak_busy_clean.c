/*
 * Threads that grow, shrink and move blocks of pointers all the time while the program ends.
 * Hard because: in the middle of realloc nobody knows of the block, and what it alone points to looks lost.
 *
 * RUN: whoholds run %prog
 * TIMEOUT: 60
 * KINDS: none
 */
#include <stdio.h>
#include <stdlib.h>

#include "lib/show.h"

#define THREADS 4

static pthread_barrier_t ready;

static void *churn(void *unused)
{
	size_t count = 20000;
	void **table = malloc(count * sizeof *table);
	for (size_t i = 0; i < count; i++)
		table[i] = malloc(24);
	pthread_barrier_wait(&ready);
	for (unsigned round = 0;; round++) {
		size_t to = round % 2 ? 20000 : 60000;
		table = realloc(table, to * sizeof *table);
		for (size_t i = 0; i < 100; i++) {
			void *moved = table[i];
			table[i] = table[i + 200];
			table[i + 200] = moved;
		}
	}
	return unused;
}

int main(void)
{
	pthread_barrier_init(&ready, NULL, THREADS + 1);
	for (int i = 0; i < THREADS; i++)
		thread_start(churn, NULL);
	pthread_barrier_wait(&ready);
	sleep_ms(100);
	return 0;
}
