/*
 * A slab of objects of one size, as nginx and the kernel have them: its memory comes from wherever its owner took it, the free ones
 * are a list through themselves. What whoholds has to be told are the three lines that begin with wh_.
 */
#ifndef TESTPROGS_SLAB_H
#define TESTPROGS_SLAB_H

#include <stddef.h>

#include "whoholds.h"

struct slab {
	char *memory;
	size_t bytes, each;
	void **free;
};

/* All of `memory` is the slab's to hand out. */
static inline void slab_fill(struct slab *slab, void *memory, size_t bytes, size_t each)
{
	*slab = (struct slab){ .memory = memory, .bytes = bytes, .each = each };
	for (size_t at = 0; at + each <= bytes; at += each) {
		void **object = (void **)(slab->memory + at);
		*object = slab->free;
		slab->free = object;
	}
}

static __attribute__((noinline, unused)) void *slab_take(struct slab *slab)
{
	void **object = slab->free;
	if (!object)
		return NULL;
	slab->free = *object;
	*object = NULL;
	wh_pool_alloc(object, slab->each); /* line: take */
	return object;
}

static __attribute__((noinline, unused)) void slab_give(struct slab *slab, void *object)
{
	wh_pool_free(object); /* line: give */
	*(void **)object = slab->free;
	slab->free = object;
}

static inline void slab_empty(struct slab *slab)
{
	wh_pool_reset(slab->memory, slab->bytes);
	slab_fill(slab, slab->memory, slab->bytes, slab->each);
}

#endif
