#include "hooks/allocx.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "hooks/check_heap.h"
#include "platform/elf_next.h"

typedef void *mallocx_function(size_t size, int flags);
typedef void *rallocx_function(void *block, size_t size, int flags);
typedef size_t xallocx_function(void *block, size_t size, size_t extra, int flags);
typedef size_t sallocx_function(const void *block, int flags);
typedef void dallocx_function(void *block, int flags);
typedef void sdallocx_function(void *block, size_t size, int flags);

static mallocx_function *real_mallocx;
static rallocx_function *real_rallocx;
static xallocx_function *real_xallocx;
static sallocx_function *real_sallocx;
static dallocx_function *real_dallocx;
static sdallocx_function *real_sdallocx;

/* To another size there is only the way by another block, which jemalloc makes as the flags say. */
static void *rallocx_hook(void *block, size_t size, int flags)
{
	if (!check_heap_dressed(block))
		return real_rallocx(block, size, flags);
	void *made = real_mallocx(size, flags);
	if (made) {
		const size_t was = malloc_usable_size(block);
		memcpy(made, block, MIN_OF(was, size));
		free(block);
	}
	return made;
}

/* It may always answer that the block stays as it is. */
static size_t xallocx_hook(void *block, size_t size, size_t extra, int flags)
{
	return check_heap_dressed(block) ? malloc_usable_size(block)
					 : real_xallocx(block, size, extra, flags);
}

static size_t sallocx_hook(const void *block, int flags)
{
	return check_heap_dressed(block) ? malloc_usable_size((void *)block) : real_sallocx(block, flags);
}

static void dallocx_hook(void *block, int flags)
{
	if (check_heap_dressed(block))
		free(block);
	else
		real_dallocx(block, flags);
}

static void sdallocx_hook(void *block, size_t size, int flags)
{
	if (check_heap_dressed(block))
		free(block);
	else
		real_sdallocx(block, size, flags);
}

void allocx_start(void)
{
	real_mallocx = (mallocx_function *)elf_next("mallocx", NULL);
	real_rallocx = (rallocx_function *)elf_next("rallocx", NULL);
	real_xallocx = (xallocx_function *)elf_next("xallocx", NULL);
	real_sallocx = (sallocx_function *)elf_next("sallocx", NULL);
	real_dallocx = (dallocx_function *)elf_next("dallocx", NULL);
	real_sdallocx = (sdallocx_function *)elf_next("sdallocx", NULL);
}

static const struct {
	const char *name;
	void **real;
	void *hook;
} ways[] = {
	{ "rallocx", (void **)&real_rallocx, (void *)rallocx_hook },
	{ "xallocx", (void **)&real_xallocx, (void *)xallocx_hook },
	{ "sallocx", (void **)&real_sallocx, (void *)sallocx_hook },
	{ "dallocx", (void **)&real_dallocx, (void *)dallocx_hook },
	{ "sdallocx", (void **)&real_sdallocx, (void *)sdallocx_hook },
};

bool allocx_named(const char *name, struct allocx_way *ret_way)
{
	/* All or none: they are one allocator's. */
	for (unsigned i = 0; UNLIKELY(real_mallocx) && i < COUNT_OF(ways); i++)
		if (*ways[i].real && strcmp(name, ways[i].name) == 0) {
			*ret_way = (struct allocx_way){ *ways[i].real, ways[i].hook };
			return true;
		}
	return false;
}

void *allocx_instead(void *found)
{
	for (unsigned i = 0; UNLIKELY(real_mallocx) && found && i < COUNT_OF(ways); i++)
		if (found == *ways[i].real)
			return ways[i].hook;
	return found;
}
