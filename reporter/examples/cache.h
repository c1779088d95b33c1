/* What the examples of assertions test: a cache of names. -DFORGETFUL brings two mistakes that they find. */
#ifndef WH_REPORTER_EXAMPLES_CACHE_H
#define WH_REPORTER_EXAMPLES_CACHE_H

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct cache {
	pthread_mutex_t lock;
	char *names[8];
	int next;
};

static inline struct cache *cache_new(void)
{
	struct cache *cache = (struct cache *)calloc(1, sizeof *cache);
	pthread_mutex_init(&cache->lock, NULL);
	return cache;
}

/* Takes the place of the oldest of them. */
static inline void cache_put(struct cache *cache, const char *name)
{
	pthread_mutex_lock(&cache->lock);
#ifndef FORGETFUL
	free(cache->names[cache->next]);
#endif
	cache->names[cache->next] = strdup(name);
	cache->next = (cache->next + 1) % 8;
	pthread_mutex_unlock(&cache->lock);
}

static inline int cache_has(struct cache *cache, const char *name)
{
	int found = 0;
	pthread_mutex_lock(&cache->lock);
	for (int i = 0; i < 8 && !found; i++)
		found = cache->names[i] && strcmp(cache->names[i], name) == 0;
#ifdef FORGETFUL
	if (!found)
		return 0;
#endif
	pthread_mutex_unlock(&cache->lock);
	return found;
}

static inline void cache_free(struct cache *cache)
{
	for (int i = 0; i < 8; i++)
		free(cache->names[i]);
	pthread_mutex_destroy(&cache->lock);
	free(cache);
}

#endif
