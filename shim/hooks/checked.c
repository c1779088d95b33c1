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

void checked_make(struct checked *header, uint64_t size, bool far)
{
	checked_put(header, checked_word(far ? CHECKED_LIVE | CHECKED_FAR : CHECKED_LIVE, size));
	put(checked_bytes(header) + size, filled_with(GUARD_FILL));
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

bool checked_behind(const struct checked *header, uint64_t size, int64_t *ret_offset)
{
	const unsigned char *behind = bytes_in(header) + size;
	if (LIKELY(!any(get(behind) ^ filled_with(GUARD_FILL))))
		return false;
	*ret_offset = (int64_t)(size + differs_at(behind, GUARD_BYTES, GUARD_FILL));
	return true;
}

static bool says(uint64_t word, uint64_t is, uint64_t size)
{
	return checked_is_in(word) == is && (size == CHECKED_UNKNOWN || checked_size_in(word) == size);
}

/* The smaller first, which is certain to be there. */
static uint64_t believed(const struct checked *header, uint64_t one, uint64_t other)
{
	int64_t offset;
	const uint64_t smaller = checked_size_in(one) < checked_size_in(other) ? one : other;
	return checked_behind(header, checked_size_in(smaller), &offset) ? one ^ other ^ smaller : smaller;
}

bool checked_was(const struct checked *header, uint64_t is, uint64_t size, uint64_t *ret_word)
{
	const uint64_t word = header->word, twin = checked_twin(header);
	const bool word_says = says(word, is, size), twin_says = says(twin, is, size);
	if (word_says && twin_says)
		*ret_word = word == twin ? word : believed(header, word, twin);
	else
		*ret_word = word_says ? word : twin;
	return word_says || twin_says;
}

bool checked_overrun(const struct checked *header, uint64_t word, int64_t *ret_offset)
{
	const uint64_t written[] = { checked_twin(header) ^ word, header->word ^ word };
	/* From the block outward: what is next to it tells who it was. */
	for (int i = GUARD_BYTES; i-- > 0;)
		if (written[i / 8] >> i % 8 * 8 & 0xff) {
			*ret_offset = (int64_t)i - (int64_t)GUARD_BYTES;
			return true;
		}
	return checked_behind(header, checked_size_in(word), ret_offset);
}

static inline bool has_ends(uint64_t size, bool whole)
{
	return !whole && size > CHECKED_HEAD + CHECKED_TAIL;
}

void checked_poison(struct checked *header, uint64_t size, bool whole)
{
	unsigned char *bytes = checked_bytes(header);
	if (has_ends(size, whole)) {
		memset(bytes, FREED_FILL, CHECKED_HEAD);
		memset(bytes + size - CHECKED_TAIL, FREED_FILL, CHECKED_TAIL);
	} else {
		memset(bytes, FREED_FILL, size);
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
