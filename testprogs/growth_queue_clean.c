/*
 * Nothing here grows for ever: a queue that breathes, longer each time it fills up but empty in between;
 * a table that is filled at the start, in as many windows of time as it takes to see that it ends;
 * a cache with a limit that is turned over all the time; and more and more work in flight, all of
 * it young.
 *
 * RUN: whoholds run --set growth=2s --set tick=20ms %prog
 * TIMEOUT: 40
 * KINDS: none
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/show.h"

#define ROUNDS 450
#define CACHE 400
#define TABLE 300
#define FLIGHT 4000

struct job {
	struct job *next;
	char body[1000];
};

static struct job *queue;
struct job *cache[CACHE], *table[TABLE], *flight[FLIGHT];

static struct job *job_new(void)
{
	struct job *job = malloc(sizeof *job);

	if (!job)
		exit(1);
	memset(job->body, 'x', sizeof job->body);
	return job;
}

/* Fills up for 25 rounds and is emptied then, each time with more in it. */
static void breathe(int round)
{
	for (int i = 0; i < 4 + round / 10; i++) {
		struct job *job = job_new();

		job->next = queue;
		queue = job;
	}
	if (round % 25)
		return;
	while (queue) {
		struct job *job = queue;

		queue = job->next;
		free(job);
	}
}

static void turn_over(int round)
{
	for (int i = 0; i < 8; i++) {
		struct job **slot = &cache[(round * 8 + i) % CACHE];

		free(*slot);
		*slot = job_new();
	}
}

/* Each round's work is done in the next one, and there is more of it each time. */
static void fly(int round)
{
	int count = 8 * round;

	for (int i = 0; i < count && i < FLIGHT; i++) {
		free(flight[i]);
		flight[i] = job_new();
	}
}

int main(void)
{
	for (int round = 0; round < ROUNDS; round++) {
		if (round < TABLE / 3)
			for (int i = 0; i < 3; i++)
				table[3 * round + i] = job_new();
		breathe(round);
		turn_over(round);
		fly(round);
		sleep_ms(10);
	}
	for (int i = 0; i < FLIGHT; i++)
		free(flight[i]);
	printf("steady %d\n", table[TABLE - 1] && cache[CACHE - 1]);
	return 0;
}
