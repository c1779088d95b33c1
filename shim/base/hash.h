/*
 * One 64-bit mixer for everything that is looked up by hash. The finaliser is
 * the one of MurmurHash3 (Austin Appleby, public domain).
 */
#ifndef WH_BASE_HASH_H
#define WH_BASE_HASH_H

#include "base/types.h"

static inline uint64_t hash_mix(uint64_t value)
{
	value ^= value >> 33;
	value *= UINT64_C(0xff51afd7ed558ccd);
	value ^= value >> 33;
	value *= UINT64_C(0xc4ceb9fe1a85ec53);
	return value ^ (value >> 33);
}

static inline uint64_t hash_add(uint64_t hash, uint64_t value)
{
	return hash_mix(hash ^ (value + UINT64_C(0x9e3779b97f4a7c15) + (hash << 6) + (hash >> 2)));
}

/*
 * A place out of 1 << bits, by multiplication with the golden ratio (Knuth, The Art of Computer Programming 3, 6.4): an eighth of the
 * mixer's instructions, good enough for addresses and for small numbers.
 */
static inline uint32_t hash_place(uint64_t value, unsigned bits)
{
	return (uint32_t)(value * UINT64_C(0x9e3779b97f4a7c15) >> (64 - bits));
}

/* FNV-1a, for text. */
static inline uint64_t hash_text(const char *text)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
	return hash;
}

#endif
