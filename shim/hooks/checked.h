/*
 * A block under the option check=heap (check_heap.h), as it lies in memory, and what is looked at in it.
 *
 *   base ──▶ │ room for alignment │ header │ the program's bytes │ guard │
 *
 * The header is the guard in front: two words that each say the same, in other bits, so that whatever is written over one is seen,
 * byte by byte, and the other says how large the block is. It is small, for it makes blocks larger, so that
 * fewer of them fit into the caches.
 */
#ifndef WH_HOOKS_CHECKED_H
#define WH_HOOKS_CHECKED_H

#include <stddef.h>

#include "base/context.h"
#include "base/types.h"
#include "registry/format.h"

#define GUARD_BYTES 16u /* on either side */
#define GUARD_FILL 0xfd
#define FREED_FILL 0xdf

/* What a block is, in the upper bits of its word. Neither has CHECKED_FAR by itself. */
#define CHECKED_LIVE UINT64_C(0x9e1f2)
#define CHECKED_KEPT UINT64_C(0x6148c)
/* With either: the block is aligned, and its base stands before the header. */
#define CHECKED_FAR UINT64_C(1)

#define CHECKED_SIZE_BITS 44
#define CHECKED_SIZE_MOST ((UINT64_C(1) << CHECKED_SIZE_BITS) - 1)
#define CHECKED_FILL (GUARD_FILL * UINT64_C(0x0101010101010101))
#define CHECKED_TWIN UINT64_C(0xa1482d7b5a3c1f96)

/* Where only the two ends are poisoned. */
#define CHECKED_HEAD 1024u
#define CHECKED_TAIL 256u

struct checked {
	uint64_t twin; /* the word in disguise, mixed with the address: a copy of a header is none */
	uint64_t
	    word; /* what it is, and its size as asked for, with the fill: so that no byte of a small size is zero */
};

_Static_assert(sizeof(struct checked) == GUARD_BYTES,
	       "it is the guard in front; and blocks stay aligned to 16");

static inline uint64_t checked_word(uint64_t is, uint64_t size)
{
	return (is << CHECKED_SIZE_BITS | size) ^ CHECKED_FILL;
}

static inline uint64_t checked_is_in(uint64_t word)
{
	return (word ^ CHECKED_FILL) >> CHECKED_SIZE_BITS & ~CHECKED_FAR;
}

static inline uint64_t checked_size_in(uint64_t word)
{
	return (word ^ CHECKED_FILL) & CHECKED_SIZE_MOST;
}

static inline void checked_put(struct checked *header, uint64_t word)
{
	header->word = word;
	header->twin = word ^ CHECKED_TWIN ^ (uintptr_t)header;
}

/* From now on it is no block of ours. */
static inline void checked_clear(struct checked *header)
{
	header->word = header->twin = 0;
}

/* What the twin says the word is. */
static inline uint64_t checked_twin(const struct checked *header)
{
	return header->twin ^ CHECKED_TWIN ^ (uintptr_t)header;
}

/* Whether it is a block that `is` so, and nothing was written over its header. */
static inline bool checked_is(const struct checked *header, uint64_t is)
{
	return header->word == checked_twin(header) && checked_is_in(header->word) == is;
}

/* The bit that says that it is far stays as it is. */
static inline void checked_set(struct checked *header, uint64_t is)
{
	const uint64_t was = checked_is_in(header->word);
	checked_put(header, header->word ^ (was ^ is) << CHECKED_SIZE_BITS);
}

static inline uint64_t checked_size(const struct checked *header)
{
	return checked_size_in(header->word);
}

static inline unsigned char *checked_bytes(struct checked *header)
{
	return (unsigned char *)(header + 1);
}

/* What the allocator gave; `word` is its header's. */
static inline void *checked_base(struct checked *header, uint64_t word)
{
	bool far = (word ^ CHECKED_FILL) >> CHECKED_SIZE_BITS & CHECKED_FAR;
	return far ? ((void **)header)[-1] : header;
}

/* Makes a live block of it: writes header and guard. */
void checked_make(struct checked *header, uint64_t size, bool far);

#define CHECKED_UNKNOWN UINT64_MAX

/*
 * Of a header that something may have been written over: the word of the block that was there, if it `is` so and has that size
 * (CHECKED_UNKNOWN: any). Where both words say so, of different sizes, the one with the guard behind it is believed.
 * Return: false: neither says so.
 */
bool checked_was(const struct checked *header, uint64_t is, uint64_t size, uint64_t *ret_word);

/* Whether something was written behind a block of `size` bytes; the first byte from its start. */
bool checked_behind(const struct checked *header, uint64_t size, int64_t *ret_offset);

/* The same of either side, of a block whose word is `word` by right: the byte nearest to it. */
bool checked_overrun(const struct checked *header, uint64_t word, int64_t *ret_offset);

/* Fills a block, which is not the program's any more; `whole`, or its ends. */
void checked_poison(struct checked *header, uint64_t size, bool whole);

/* The first byte that was written, of a block of `size` bytes that was poisoned so; `size`: none. */
uint64_t checked_written(const struct checked *header, uint64_t size, bool whole);

#endif
