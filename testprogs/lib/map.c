#include "map.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "whoholds.h"

struct map_entry {
	char *key;
	int value;
	UT_hash_handle hh;
};

void map_put(struct map *map, const char *key, int value)
{
	struct map_entry *entry;

	pthread_rwlock_wrlock(&map->lock); /* line: map_put waits */
	HASH_FIND_STR(map->entries, key, entry);
	if (!entry) {
		entry = calloc(1, sizeof *entry);
		entry->key = strdup(key);
		HASH_ADD_KEYPTR(hh, map->entries, entry->key, strlen(entry->key), entry);
	}
	entry->value = value;
	pthread_rwlock_unlock(&map->lock);
}

bool map_get(struct map *map, const char *key, int *ret_value)
{
	struct map_entry *entry;

	pthread_rwlock_rdlock(&map->lock);
	HASH_FIND_STR(map->entries, key, entry);
	if (entry)
		*ret_value = entry->value;
	pthread_rwlock_unlock(&map->lock);
	return entry != NULL;
}

size_t map_count(struct map *map)
{
	pthread_rwlock_rdlock(&map->lock);
	size_t count = HASH_COUNT(map->entries);
	pthread_rwlock_unlock(&map->lock);
	return count;
}

char **map_keys(struct map *map, size_t *ret_count)
{
	size_t count = 0;

	pthread_rwlock_rdlock(&map->lock);
	char **keys = calloc(HASH_COUNT(map->entries) + 1, sizeof *keys);
	for (struct map_entry *entry = map->entries; entry; entry = entry->hh.next)
		keys[count++] = strdup(entry->key);
	pthread_rwlock_unlock(&map->lock);
	*ret_count = count;
	return keys;
}

void map_keys_free(char **keys, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(keys[i]);
	free(keys);
}

void map_iter_begin(struct map *map, struct map_iter *iter)
{
	pthread_rwlock_rdlock(&map->lock); /* line: map_iter_begin locks */
	iter->map = map;
	iter->next = map->entries;
	wh_iter_open(map, iter, map->name); /* line: map_iter_begin opens */
}

bool map_iter_next(struct map_iter *iter, const char **ret_key, int *ret_value)
{
	struct map_entry *entry = iter->next;

	if (!entry)
		return false;
	iter->next = entry->hh.next;
	*ret_key = entry->key;
	*ret_value = entry->value;
	return true;
}

void map_iter_end(struct map_iter *iter)
{
	wh_iter_close(iter);
	pthread_rwlock_unlock(&iter->map->lock);
}

void map_clear(struct map *map)
{
	struct map_entry *entry, *next;

	HASH_ITER (hh, map->entries, entry, next) {
		HASH_DEL(map->entries, entry);
		free(entry->key);
		free(entry);
	}
}
