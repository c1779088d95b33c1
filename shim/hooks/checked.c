#include "hooks/checked.h"

#include <string.h>

typedef uint64_t pair __attribute__((vector_size(16), aligned(1), may_alias));

_Static_assert(sizeof(pair) == GUARD_BYTES, "a guard is written and read at once");

#define EACH_BYTE UINT64_C(0x0101010101010101)

static inline pair filled_with(unsigned char fill)
{
	return (pair){ fill * EACH_BYTE, fill * EACH_BYTE };
}

static inline bool any(pair bits)
{
	return bits[0] | bits[1];
}

static inline void put(unsigned char *at, pair value)
{
	*(pair *)at = value;
}

static inline pair get(const unsigned char *at)
{
	return *(const pair *)at;
}

static inline const unsigned char *bytes_in(const struct checked *header)
{
	return (const unsigned char *)(header + 1);
}

void checked_guard(struct checked *header)
{
	const pair fill = filled_with(GUARD_FILL);
	put(header->guard, fill);
	put(checked_bytes(header) + header->size, fill);
}

/* The first of `count` bytes that is not `fill`; `count`: all are. */
static uint64_t differs_at(const unsigned char *bytes, uint64_t count, unsigned char fill)
{
	const pair is = filled_with(fill);
	uint64_t at = 0;
	for (; at + 4 * sizeof is <= count; at += 4 * sizeof is) {
		const unsigned char *line = bytes + at;
		if (UNLIKELY(any((get(line) ^ is) | (get(line + 16) ^ is) | (get(line + 32) ^ is) |
				 (get(line + 48) ^ is))))
			break;
	}
	while (at + sizeof is <= count && !any(get(bytes + at) ^ is))
		at += sizeof is;
	while (at < count && bytes[at] == fill)
		at++;
	return at;
}

bool checked_overrun(const struct checked *header, uint64_t size, int64_t *ret_offset)
{
	const pair is = filled_with(GUARD_FILL);
	const unsigned char *behind = bytes_in(header) + size;
	if (LIKELY(!any((get(header->guard) ^ is) | (get(behind) ^ is))))
		return false;
	/* From the block outward: what is next to it tells who it was. */
	for (int i = GUARD_BYTES; i-- > 0;)
		if (header->guard[i] != GUARD_FILL) {
			*ret_offset = (int64_t)i - (int64_t)GUARD_BYTES;
			return true;
		}
	*ret_offset = (int64_t)(size + differs_at(behind, GUARD_BYTES, GUARD_FILL));
	return true;
}

static inline bool has_ends(uint64_t size, bool whole)
{
	return !whole && size > CHECKED_HEAD + CHECKED_TAIL;
}

void checked_poison(struct checked *header, bool whole)
{
	unsigned char *bytes = checked_bytes(header);
	if (has_ends(header->size, whole)) {
		memset(bytes, FREED_FILL, CHECKED_HEAD);
		memset(bytes + header->size - CHECKED_TAIL, FREED_FILL, CHECKED_TAIL);
	} else {
		memset(bytes, FREED_FILL, header->size);
	}
}

uint64_t checked_written(const struct checked *header, uint64_t size, bool whole)
{
	const unsigned char *bytes = bytes_in(header);
	if (!has_ends(size, whole))
		return differs_at(bytes, size, FREED_FILL);
	uint64_t at = differs_at(bytes, CHECKED_HEAD, FREED_FILL);
	if (at < CHECKED_HEAD)
		return at;
	return size - CHECKED_TAIL + differs_at(bytes + size - CHECKED_TAIL, CHECKED_TAIL, FREED_FILL);
}
