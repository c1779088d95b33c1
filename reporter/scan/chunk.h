/*
 * What glibc's allocator notes in front of each of its blocks (malloc/malloc.c, the same since 2.3): the size of the
 * chunk, with flags in its low bits.
 *
 * Context: reporter. The words in front of the block may be read.
 */
#ifndef WH_REPORTER_SCAN_CHUNK_H
#define WH_REPORTER_SCAN_CHUNK_H

#include "base/types.h"

#define CHUNK_HEADER ((uint64_t)16)
#define CHUNK_MAPPED ((uint64_t)2)
#define CHUNK_OF_ARENA ((uint64_t)4) /* of one that is not the main one */
#define CHUNK_FLAGS ((uint64_t)7)

/* What is left over of a chunk that was cut, or rounded, is less than this: else it would be a chunk. */
#define CHUNK_SLACK_MOST ((uint64_t)40)

struct chunk {
	uint64_t before; /* of a mapped one: bytes of its mapping in front of it */
	uint64_t size;   /* with its header */
	uint64_t flags;
	uint64_t usable;
};

static inline struct chunk chunk_of(uint64_t start)
{
	const uint64_t *header = (const uint64_t *)(start - CHUNK_HEADER);
	uint64_t size = header[1] & ~CHUNK_FLAGS, flags = header[1] & CHUNK_FLAGS;
	/* Of one that is not mapped, the first word of the next one's header is the program's too. */
	uint64_t overhead = flags & CHUNK_MAPPED ? CHUNK_HEADER : CHUNK_HEADER / 2;
	return (struct chunk){ header[0], size, flags, size > overhead ? size - overhead : 0 };
}

#endif
