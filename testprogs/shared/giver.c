/* Hands blocks out and takes them back, each by the allocator that this library finds. */
#include "shared/giver.h"

#include <stdlib.h>

void *giver_take(size_t size)
{
	return malloc(size);
}

void *giver_resize(void *block, size_t size)
{
	return realloc(block, size);
}

void giver_give(void *block)
{
	free(block);
}
