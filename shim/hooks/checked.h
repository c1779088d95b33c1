/*
 * A block under the option check=heap (check_heap.h), as it lies in memory, and what is looked at in it.
 *
 *   base ──▶ │ room for alignment │ header │ guard │ the program's bytes │ guard │
 *
 * The header is small, for it is written at each malloc and read at each free, and makes blocks larger, so that fewer of
 * them fit into the caches.
 */
#ifndef WH_HOOKS_CHECKED_H
#define WH_HOOKS_CHECKED_H

#include <stddef.h>

#include "base/context.h"
#include "base/types.h"
#include "registry/format.h"

#define GUARD_BYTES 16u
#define GUARD_FILL 0xfd
#define FREED_FILL 0xdf

/* Mixed with the address: a copy of one is none. */
#define CHECKED_LIVE UINT64_C(0x9e1f3c5a7b2d4861)
#define CHECKED_KEPT UINT64_C(0x61482d7b5a3c1f96)
/* In either: the block is aligned, and its base stands before the header. Neither mark has the bit by itself. */
#define CHECKED_FAR UINT64_C(8)

/* Where only the two ends are poisoned. */
#define CHECKED_HEAD 1024u
#define CHECKED_TAIL 256u

struct checked {
	uint64_t mark; /* CHECKED_LIVE or CHECKED_KEPT */
	uint64_t size; /* as asked for */
	unsigned char guard[GUARD_BYTES];
};

_Static_assert(sizeof(struct checked) == 32, "blocks stay aligned to 16");

_Static_assert(((CHECKED_LIVE | CHECKED_KEPT) & CHECKED_FAR) == 0,
	       "what says that it is far says nothing else");

static inline bool checked_is(const struct checked *header, uint64_t mark)
{
	return ((header->mark ^ mark ^ (uintptr_t)header) & ~CHECKED_FAR) == 0;
}

/* The bit that says so stays as it is. */
static inline void checked_set(struct checked *header, uint64_t mark)
{
	uint64_t far = (header->mark ^ CHECKED_LIVE ^ (uintptr_t)header) & CHECKED_FAR;
	header->mark = mark ^ (uintptr_t)header ^ far;
}

static inline unsigned char *checked_bytes(struct checked *header)
{
	return (unsigned char *)(header + 1);
}

/* What the allocator gave. */
static inline void *checked_base(struct checked *header)
{
	bool far = (header->mark ^ CHECKED_LIVE ^ (uintptr_t)header) & CHECKED_FAR;
	return far ? ((void **)header)[-1] : header;
}

/* Writes both guards. */
void checked_guard(struct checked *header);

/*
 * The byte of the guards of a block of `size` bytes that was written over, the nearest to them, in *ret_offset from their
 * start. Return: whether there is one.
 */
bool checked_overrun(const struct checked *header, uint64_t size, int64_t *ret_offset);

/* Fills the block, which is not the program's any more; `whole`, or its ends. */
void checked_poison(struct checked *header, bool whole);

/* The first byte that was written, of a block of `size` bytes that was poisoned so; `size`: none. */
uint64_t checked_written(const struct checked *header, uint64_t size, bool whole);

#endif
