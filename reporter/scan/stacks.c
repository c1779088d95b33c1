#include "reporter/scan/stacks.h"

#include "base/context.h"

#define STACK_LEAST ((uint64_t)4096)
/* Static thread-local storage lies below the control block; above it there is little. */
#define ABOVE_POINTER_MOST ((uint64_t)64 * 1024)

bool stack_of_pointer(const struct maps *maps, uint64_t pointer, struct range *ret_stack)
{
	const struct map *map = maps_find(maps, pointer);
	if (!map || !(map->flags & MAP_READ) || pointer % 8)
		return false;
	uint64_t end = MIN_OF(map->end, pointer + CONTROL_BLOCK_BYTES);
	if (end - pointer < 32)
		return false;
	const uint64_t *words = (const uint64_t *)pointer;
	if (words[0] != pointer || words[2] != pointer)
		return false;
	for (uint64_t i = 0; i + 1 < (end - pointer) / 8; i++) {
		uint64_t start = words[i], bytes = words[i + 1];
		if (!start || start % PAGE_BYTES || bytes % PAGE_BYTES || bytes < STACK_LEAST ||
		    start > pointer)
			continue;
		if (pointer - start < bytes && start + bytes - pointer <= ABOVE_POINTER_MOST) {
			*ret_stack = (struct range){ start, start + bytes };
			return true;
		}
	}
	return false;
}

/* Control blocks are aligned for vectors and cache lines. */
#define ALIGNMENT ((uint64_t)64)

void stacks_each(const struct maps *maps, const struct map *map, struct pages *pages,
		 void (*each)(uint64_t pointer, const struct range *stack, void *data), void *data)
{
	struct range run, stack;
	for (uint64_t from = map->start; pages_next_run(pages, from, map->end, PAGES_WRITTEN, &run);
	     from = run.end)
		for (uint64_t at = run.start; at < run.end; at += ALIGNMENT)
			if (UNLIKELY(*(const uint64_t *)at == at) && stack_of_pointer(maps, at, &stack))
				each(at, &stack, data);
}
