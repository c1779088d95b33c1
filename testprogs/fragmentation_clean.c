/*
 * fragmentation, put right: what stays lies together, so that the pages of the rest can go back to
 * the kernel; and a program with as much memory in use as it has.
 *
 * RUN: whoholds run --set "fragmentation=400% in 2s" %prog
 * TIMEOUT: 60
 * KINDS: none
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/show.h"

#define ROUNDS 12000
#define REST 30

static char kept[2][ROUNDS][40];
static void *rest[2][ROUNDS][REST];
static void *used[ROUNDS * 10];

static void *sieve(void *arg)
{
	int which = *(int *)arg;

	for (int i = 0; i < ROUNDS; i++) {
		kept[which][i][0] = 'k';
		for (int j = 0; j < REST; j++) {
			rest[which][i][j] = malloc(128);
			if (!rest[which][i][j])
				exit(1);
			memset(rest[which][i][j], 'x', 128);
		}
	}
	for (int i = 0; i < ROUNDS; i++)
		for (int j = 0; j < REST; j++)
			free(rest[which][i][j]);
	for (int i = 0; !which && i < ROUNDS * 10; i++) {
		used[i] = malloc(1000);
		if (!used[i])
			exit(1);
		memset(used[i], 'y', 1000);
	}
	sleep_ms(4000);
	return NULL;
}

int main(void)
{
	int first = 0, second = 1;
	pthread_t thread = thread_start(sieve, &second);

	sieve(&first);
	pthread_join(thread, NULL);
	for (int i = 0; i < ROUNDS * 10; i++)
		free(used[i]);
	puts(kept[1][ROUNDS - 1][0] == 'k' ? "whole" : "?");
	return 0;
}
