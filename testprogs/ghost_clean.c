/*
 * Thread-specific values and handlers as they are meant: a cache for each of many threads, with all that it leads to; keys of objects
 * that are in use; values that are known elsewhere as well; handlers for what is still used, and a few for what is not.
 *
 * RUN: whoholds run --set leaks=1s %prog
 * TIMEOUT: 60
 * KINDS: none
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/check.h"
#include "lib/lose.h"

#define THREADS 24
#define OBJECTS 60

struct cache {
	struct cache *next;
	char text[40];
};

static pthread_key_t of_thread;
static pthread_key_t of_objects[OBJECTS];
static void *volatile objects[OBJECTS], *volatile values[OBJECTS];
static pthread_barrier_t ready;

static void free_all(void *cache)
{
	for (struct cache *next, *at = cache; at; at = next) {
		next = at->next;
		free(at);
	}
}

static void free_at_exit(int status, void *block)
{
	(void)status;
	free(block);
}

static void *work(void *unused)
{
	(void)unused;
	struct cache *first = NULL;
	for (int i = 0; i < 100; i++) {
		struct cache *cache = calloc(1, sizeof *cache);
		cache->next = first;
		first = cache;
	}
	pthread_setspecific(of_thread, first);
	first = NULL;
	pthread_barrier_wait(&ready);
	pthread_barrier_wait(&ready);
	return NULL;
}

static __attribute__((noinline)) void make_objects(void)
{
	for (int i = 0; i < OBJECTS; i++) {
		pthread_key_create(&of_objects[i], NULL);
		values[i] = calloc(1, 24);
		pthread_setspecific(of_objects[i], values[i]);
		objects[i] = calloc(1, 32);
		on_exit(free_at_exit, objects[i]);
	}
	for (int i = 0; i < 10; i++)
		on_exit(free_at_exit, calloc(1, 56));
}

int main(void)
{
	pthread_t threads[THREADS];
	make_objects();
	pthread_key_create(&of_thread, free_all); /* beyond the first 32 */
	pthread_barrier_init(&ready, NULL, THREADS + 1);
	for (int i = 0; i < THREADS; i++)
		CHECK_EQUAL(pthread_create(&threads[i], NULL, work, NULL), 0);
	pthread_barrier_wait(&ready);
	wipe_stack();
	sleep(4);
	pthread_barrier_wait(&ready);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < OBJECTS; i++)
		free(values[i]);
	return 0;
}
