#include "platform/early.h"

#include "base/context.h"

_Alignas(64) char early_arena[EARLY_BYTES];
static size_t used;

void *early_alloc(size_t bytes, size_t alignment)
{
	if (alignment < 16)
		alignment = 16;
	if (bytes > EARLY_BYTES || alignment > EARLY_BYTES)
		return NULL;
	size_t need = 16 + alignment + ((bytes + 15) & ~(size_t)15);
	size_t from = __atomic_fetch_add(&used, need, __ATOMIC_RELAXED);
	if (from + need > EARLY_BYTES)
		return NULL;
	uintptr_t block = ((uintptr_t)early_arena + from + 16 + alignment - 1) & ~(uintptr_t)(alignment - 1);
	((size_t *)block)[-1] = bytes;
	return (void *)block;
}

size_t early_size(const void *block)
{
	return ((const size_t *)block)[-1];
}
