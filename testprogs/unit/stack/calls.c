/*
 * Calls functions of all shapes (shapes.c, shapes_cxx.cc) in random trees, allocates at each visit, and takes locks:
 * for comparing the stacks of that with libunwind's (scripts/check-stacks), with one compiler and its flags a
 * build. On two threads, so that they fill the tables of rules and of stacks together.
 *
 * usage: calls VISITS
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shapes.h"

extern const struct shape SHAPES[SHAPES_MOST];

#define FRAMES_MOST 150 /* that are added to a thread's own, all trees together */
#define THREADS 2

static __thread uint64_t random_state;
static __thread long visits, wanted;
static __thread int budget;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static uint32_t random_below(uint32_t limit)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)((random_state >> 20) % limit);
}

static void use(void)
{
	volatile char *block = malloc(random_below(300) + 1);
	visits++;
	if (!block)
		return;
	block[0] = 1;
	free((void *)block);
	if (random_below(16))
		return;
	pthread_mutex_lock(&lock);
	pthread_mutex_unlock(&lock);
	visits++;
}

static void visit(void)
{
	for (uint32_t turn = random_below(3); turn < 3 && visits < wanted; turn++) {
		if (random_below(2))
			use();
		if (budget <= 0 || !random_below(4))
			continue;
		const struct shape *all = random_below(4) ? SHAPES : shapes_cxx;
		uint32_t shapes = 0;
		while (shapes < SHAPES_MOST && all[shapes].call)
			shapes++;
		const struct shape *shape = &all[random_below(shapes)];
		if (strcmp(shape->name, "sort") == 0)
			continue; /* it can't be entered twice */
		int levels = random_below(20) ? (int)random_below(6) + 1 : 50;
		budget -= levels;
		shape->call(levels, visit);
		budget += levels;
	}
	use();
}

static void *run(void *data)
{
	random_state = 88172645463325252u + (uintptr_t)data;
	wanted = *(const long *)data;
	while (visits < wanted) {
		budget = FRAMES_MOST;
		visit();
	}
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t threads[THREADS];
	long shares[THREADS];
	long all = argc > 1 ? atol(argv[1]) : 10000;
	for (int i = 0; i < THREADS; i++) {
		shares[i] = all / THREADS;
		if (pthread_create(&threads[i], NULL, run, &shares[i]) != 0) {
			fprintf(stderr, "no thread\n");
			return 1;
		}
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	return 0;
}
