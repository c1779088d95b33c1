/*
 * A bump allocator for code that must not call malloc: detectors, writers and
 * snapshots run on the reporter thread of a stuck process as well as in the
 * command, and are the same code in both.
 *
 * Memory comes in pieces from `more` and is given back all at once. One owner,
 * no locking.
 */
#ifndef WH_BASE_ARENA_H
#define WH_BASE_ARENA_H

#include "base/context.h"
#include "base/types.h"

struct arena_piece;

struct arena {
	/* Returns zeroed memory of at least `bytes` bytes, or NULL. */
	void *(*more)(size_t bytes);
	void (*less)(void *memory, size_t bytes);
	struct arena_piece *pieces;
	size_t used, size; /* of the newest piece, bytes */
	bool failed;       /* an allocation was refused since the last reset */
};

/*
 * Zeroed memory, 16-byte aligned, or NULL (and `failed` set) where there is
 * none. It belongs to the arena.
 *
 * Context: that of arena->more; `reporter` in the target.
 */
void *arena_alloc(struct arena *arena, size_t bytes);

/* An array of `count` zeroed elements of `size` bytes; NULL also on overflow. */
void *arena_array(struct arena *arena, size_t count, size_t size);

/* A copy of `bytes` bytes of `text` with a NUL behind it, or NULL. */
char *arena_copy(struct arena *arena, const char *text, size_t bytes);

/* Forgets every allocation; keeps one piece for the next round. */
void arena_reset(struct arena *arena);

/* Gives everything back. The arena may be used again. */
void arena_release(struct arena *arena);

#endif
