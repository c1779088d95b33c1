#include "lib/counted_map.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "lib/lose.h"
#include "lib/show.h"

#define VALUES 40
#define WORKERS 3

struct value {
	atomic_int holders;
	char *text;
};

static struct value *map[VALUES];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t have_one, cleared;

static __attribute__((noinline)) struct value *value_new(void)
{
	struct value *value = malloc(sizeof *value); /* line: value */
	value->holders = 1;
	value->text = malloc(500);
	memset(value->text, 'v', 500);
	return value;
}

static void value_put(struct value *value)
{
	if (atomic_fetch_sub(&value->holders, 1) > 1)
		return;
	free(value->text);
	free(value);
}

static struct value *map_get(unsigned key)
{
	pthread_mutex_lock(&lock);
	struct value *value = map[key];
	if (value)
		atomic_fetch_add(&value->holders, 1);
	pthread_mutex_unlock(&lock);
	return value;
}

static void map_clear(void)
{
	pthread_mutex_lock(&lock);
	for (unsigned i = 0; i < VALUES; i++) {
		value_put(map[i]);
		map[i] = NULL;
	}
	pthread_mutex_unlock(&lock);
}

struct work {
	unsigned key;
	bool give_back;
};

/* Not inlined: what it leaves on the stack is wiped by who calls it. */
static __attribute__((noinline)) void use_one(const struct work *work)
{
	struct value *value = map_get(work->key);
	pthread_barrier_wait(&have_one);
	pthread_barrier_wait(&cleared);
	value->text[0]++;
	if (work->give_back)
		value_put(value);
}

static void *run(void *data)
{
	use_one(data);
	wipe_stack();
	return NULL;
}

void counted_map_story(bool give_back)
{
	pthread_t workers[WORKERS];
	struct work works[WORKERS];
	for (unsigned i = 0; i < VALUES; i++)
		map[i] = value_new();
	pthread_barrier_init(&have_one, NULL, WORKERS + 1);
	pthread_barrier_init(&cleared, NULL, WORKERS + 1);
	for (unsigned i = 0; i < WORKERS; i++) {
		works[i] = (struct work){ .key = i * 7, .give_back = give_back };
		workers[i] = thread_start(run, &works[i]);
	}
	pthread_barrier_wait(&have_one);
	map_clear();
	pthread_barrier_wait(&cleared);
	for (unsigned i = 0; i < WORKERS; i++)
		pthread_join(workers[i], NULL);
	wipe_stack();
}
