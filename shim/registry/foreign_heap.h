/*
 * What jemalloc has mapped for itself. It keeps the addresses of blocks that it has handed out in the stacks of its thread
 * caches, below their tops, until others come there: read as roots, these keep most of what a program has just lost. What it
 * mapped holds its blocks, which are known, and its own tables; so what is no block is left out.
 *
 * Certain is that only while
 *   - the mapping was made by a call out of its module, which is a shared object of that name: what is linked into
 *     the program, or into a library that does other things as well, maps for others too;
 *   - none of it was unmapped since;
 *   - nobody has blocks of it that are not known: from mallocx and its kin, which nobody stands before. Who has their names
 *     in a module, or asks dlsym for one, ends it for good. What runs with names unlooked at never began.
 *
 * Other allocators keep no such copies.
 */
#ifndef WH_REGISTRY_FOREIGN_HEAP_H
#define WH_REGISTRY_FOREIGN_HEAP_H

#include "base/context.h"
#include "base/types.h"

/* Whether mappings are noted: from the first on, until the allocator turns out to be another one. */
extern bool foreign_heap_watches;

/*
 * Something was mapped, in whole pages; of memory that is the process's alone by a call from `caller`, of anything else (NULL)
 * by whomsoever. Context: hook. Keeps errno.
 */
void foreign_heap_mapped(uint64_t start, uint64_t bytes, const void *caller);

/* Something is about to be unmapped, or mapped over. Context: hook. Keeps errno. */
void foreign_heap_unmapping_other(uint64_t start, uint64_t bytes);

static inline void foreign_heap_unmapping(uint64_t start, uint64_t bytes)
{
	if (UNLIKELY(foreign_heap_watches))
		foreign_heap_unmapping_other(start, bytes);
}

/* `allocate` is the real malloc: what is not jemalloc's is forgotten. Context: init. */
void foreign_heap_start(const void *allocate);

/* Whether that is the name of a function that hands out blocks of jemalloc's which are then unknown. Context: signal. */
bool foreign_heap_hands_out(const char *name);
/* A module that `inside` lies in, or (NULL) somebody, may call such a function. Context: hook. */
void foreign_heap_called_by(const void *inside);
/* Whether there may be such blocks. Context: signal. */
bool foreign_heap_doubted(void);
/* The names of all that is loaded were looked at. Context: hook. */
void foreign_heap_named(void);

/* In a fork child. Context: hook. */
void foreign_heap_fork_child(void);

/* Each piece, where that is certain. Context: reporter. */
void foreign_heap_each(void (*each)(uint64_t start, uint64_t end, void *data), void *data);

#endif
