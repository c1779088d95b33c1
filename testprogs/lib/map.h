/*
 * A map from strings to integers behind a reader-writer lock. An iterator holds
 * the lock shared from map_iter_begin to map_iter_end: whoever forgets the end,
 * or blocks before it, keeps every writer out.
 */
#ifndef TESTPROGS_MAP_H
#define TESTPROGS_MAP_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

struct map_entry;

struct map {
	pthread_rwlock_t lock;
	struct map_entry *entries;
	const char *name; /* for reports */
};

#define MAP_INIT(words) \
	{ \
		.lock = PTHREAD_RWLOCK_INITIALIZER, .name = (words) \
	}

struct map_iter {
	struct map *map;
	struct map_entry *next;
};

void map_put(struct map *map, const char *key, int value);
bool map_get(struct map *map, const char *key, int *ret_value);
size_t map_count(struct map *map);

/* A copy of the keys: an array and strings that the caller frees with map_keys_free. */
char **map_keys(struct map *map, size_t *ret_count);
void map_keys_free(char **keys, size_t count);

/* Takes the lock shared and keeps it until map_iter_end. */
void map_iter_begin(struct map *map, struct map_iter *iter);
bool map_iter_next(struct map_iter *iter, const char **ret_key, int *ret_value);
void map_iter_end(struct map_iter *iter);

/* Frees the entries. Nobody else may use the map. */
void map_clear(struct map *map);

#endif
