/*
 * The same addresses are handed out and given back again and again, by slabs that come and go; and some are given back that
 * nobody was told of.
 *
 * RUN: whoholds run %prog
 * KINDS: none
 */
#include <stdlib.h>

#include "lib/slab.h"

static struct slab slab;

static void give_twice_told_once(void)
{
	void *object = slab_take(&slab);
	slab_give(&slab, object);
	/* Taken by a part of the program that tells nobody. */
	slab.free = *(void **)object;
	wh_pool_alloc(object, slab.each);
	wh_pool_free(object);
}

int main(void)
{
	for (int round = 0; round < 50; round++) {
		void *memory = malloc(4096);
		slab_fill(&slab, memory, 4096, 96);
		void *one = slab_take(&slab), *two = slab_take(&slab);
		slab_give(&slab, one);
		slab_give(&slab, slab_take(&slab));
		slab_give(&slab, two);
		give_twice_told_once();
		slab_take(&slab);
		free(memory);
		wh_pool_free(&slab);
		wh_pool_free(NULL);
		wh_pool_alloc(NULL, 10);
	}
	return 0;
}
