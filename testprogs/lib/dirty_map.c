#include "lib/dirty_map.h"

#include <pthread.h>
#include <stdlib.h>

#include "lib/lose.h"

#define ROOM 64

struct entry {
	long key, value, used;
};

struct copy {
	unsigned count;
	struct entry *entries[ROOM];
};

static struct copy *read_copy, *dirty_copy;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static __attribute__((noinline)) struct copy *copy_new(const struct copy *of)
{
	struct copy *copy = calloc(1, sizeof *copy); /* line: copy */
	for (unsigned i = 0; of && i < of->count; i++) {
		copy->entries[i] = malloc(sizeof *copy->entries[i]);
		*copy->entries[i] = *of->entries[i];
		copy->count++;
	}
	return copy;
}

static void copy_free(struct copy *copy)
{
	for (unsigned i = 0; copy && i < copy->count; i++)
		free(copy->entries[i]);
	free(copy);
}

static __attribute__((noinline)) void map_put(long key, long value, bool forgets)
{
	pthread_mutex_lock(&lock);
	if (!dirty_copy || forgets)
		dirty_copy = copy_new(read_copy);
	struct entry *entry = malloc(sizeof *entry);
	*entry = (struct entry){ .key = key, .value = value };
	dirty_copy->entries[dirty_copy->count++] = entry;
	pthread_mutex_unlock(&lock);
}

static __attribute__((noinline)) void map_merge(void)
{
	pthread_mutex_lock(&lock);
	copy_free(read_copy);
	read_copy = dirty_copy;
	dirty_copy = NULL;
	pthread_mutex_unlock(&lock);
}

void dirty_map_story(bool forgets)
{
	for (long i = 0; i < 20; i++)
		map_put(i, i * i, false);
	map_merge();
	for (long i = 20; i < 30; i++)
		map_put(i, i * i, false);
	map_put(30, 900, forgets);
	map_merge();
	wipe_stack();
}
