#include "base/arena.h"

#include <string.h>

struct arena_piece {
	struct arena_piece *older;
	size_t size; /* bytes, this header included */
};

#define PIECE_BYTES ((size_t)256 * 1024) /* chosen somewhat arbitrarily */
#define HEADER_BYTES ((sizeof(struct arena_piece) + 15) & ~(size_t)15)

void *arena_alloc(struct arena *arena, size_t bytes)
{
	if (bytes > SIZE_MAX / 4) {
		arena->failed = true;
		return NULL;
	}
	bytes = (bytes + 15) & ~(size_t)15;
	if (!arena->pieces || arena->size - arena->used < bytes) {
		size_t size = MAX_OF(PIECE_BYTES, bytes + HEADER_BYTES);
		struct arena_piece *piece = arena->more(size);
		if (!piece) {
			arena->failed = true;
			return NULL;
		}
		piece->older = arena->pieces;
		piece->size = size;
		arena->pieces = piece;
		arena->size = size;
		arena->used = HEADER_BYTES;
	}
	void *memory = (char *)arena->pieces + arena->used;
	arena->used += bytes;
	return memory;
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
	size_t bytes;
	if (__builtin_mul_overflow(count, size, &bytes)) {
		arena->failed = true;
		return NULL;
	}
	return arena_alloc(arena, bytes);
}

char *arena_copy(struct arena *arena, const char *text, size_t bytes)
{
	char *copy = arena_alloc(arena, bytes + 1);
	if (copy)
		memcpy(copy, text, bytes);
	return copy;
}

void arena_reset(struct arena *arena)
{
	bool first_only = arena->pieces && !arena->pieces->older;

	while (arena->pieces && arena->pieces->older) {
		struct arena_piece *piece = arena->pieces;
		arena->pieces = piece->older;
		arena->less(piece, piece->size);
	}
	if (arena->pieces) {
		arena->size = arena->pieces->size;
		/* How far the first one was used is not known any more when others came after it. */
		size_t dirty = first_only ? arena->used : arena->size;
		memset((char *)arena->pieces + HEADER_BYTES, 0, dirty - HEADER_BYTES);
		arena->used = HEADER_BYTES;
	}
	arena->failed = false;
}

void arena_release(struct arena *arena)
{
	while (arena->pieces) {
		struct arena_piece *piece = arena->pieces;
		arena->pieces = piece->older;
		arena->less(piece, piece->size);
	}
	arena->used = arena->size = 0;
	arena->failed = false;
}
