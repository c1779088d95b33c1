/*
 * Work comes in faster than it is done, by a little: a queue that is served all the time and
 * that only grows. Hard because nearly everything that is allocated is freed again, and none of it is lost.
 *
 * RUN: whoholds run --set growth=3s --set tick=20ms %prog
 * TIMEOUT: 40
 * KINDS: growth
 * EXPECT: warning growth:
 * EXPECT: kept, from job_new
 * EXPECT: live then, at the least
 * EXPECT: limit 3 s (option growth)
 * EXPECT-JSON: finding("growth") | has_frame("allocated"; "job_new"; {{line allocates}})
 * EXPECT-JSON: finding("growth") | has_function("allocated"; "come_in")
 * EXPECT-JSON: finding("growth") | (.windows | length) == 8
 * EXPECT-JSON: finding("growth") | [.windows[].least_bytes] | . == sort
 * EXPECT-JSON: finding("growth") | .count * 1000 <= .bytes
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/show.h"

#define ROUNDS 450
#define JOBS_IN 20
#define JOBS_DONE 18
#define LATE 4 /* jobs that stay for good, of each round's */

struct job {
	struct job *next;
	char body[1000];
};

static struct job *queue, *late;

static struct job *job_new(void)
{
	struct job *job = malloc(sizeof *job); /* line: allocates */

	if (!job)
		exit(1);
	memset(job->body, 'x', sizeof job->body);
	return job;
}

static void come_in(int round)
{
	for (int i = 0; i < JOBS_IN; i++) {
		struct job *job = job_new();
		struct job **list = i < LATE && round % 2 ? &late : &queue;

		job->next = *list;
		*list = job;
	}
}

static void serve(void)
{
	for (int i = 0; i < JOBS_DONE && queue; i++) {
		struct job *job = queue;

		queue = job->next;
		free(job);
	}
}

int main(void)
{
	for (int round = 0; round < ROUNDS; round++) {
		come_in(round);
		serve();
		sleep_ms(10);
	}
	puts(queue && late ? "overrun" : "?");
	return 0;
}
