/*
 * Reading DWARF's numbers from a block of bytes. A read past the end sets `bad`
 * and yields 0, so that a caller checks once, at the end of a group.
 *
 * Context: signal.
 */
#ifndef WH_STACK_DWARF_H
#define WH_STACK_DWARF_H

#include <string.h>

#include "base/types.h"

struct dwarf {
	const uint8_t *at, *end;
	uint64_t shift; /* added to `at` it is the address that the bytes have in the module */
	bool bad;
};

static inline uint64_t dwarf_fixed(struct dwarf *dwarf, size_t bytes)
{
	uint64_t value = 0;
	if ((size_t)(dwarf->end - dwarf->at) < bytes) {
		dwarf->bad = true;
		dwarf->at = dwarf->end;
		return 0;
	}
	memcpy(&value, dwarf->at, bytes);
	dwarf->at += bytes;
	return value;
}

static inline int64_t dwarf_signed(struct dwarf *dwarf, size_t bytes)
{
	unsigned spare = 64 - 8 * (unsigned)bytes;
	return (int64_t)(dwarf_fixed(dwarf, bytes) << spare) >> spare;
}

static inline uint64_t dwarf_uleb(struct dwarf *dwarf)
{
	uint64_t value = 0;
	for (unsigned shift = 0;; shift += 7) {
		uint64_t byte = dwarf_fixed(dwarf, 1);
		if (shift < 64)
			value |= (byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return value;
	}
}

static inline int64_t dwarf_sleb(struct dwarf *dwarf)
{
	uint64_t value = 0;
	for (unsigned shift = 0;;) {
		uint64_t byte = dwarf_fixed(dwarf, 1);
		if (shift < 64)
			value |= (byte & 0x7f) << shift;
		shift += 7;
		if (byte & 0x80)
			continue;
		if ((byte & 0x40) && shift < 64)
			value |= ~UINT64_C(0) << shift;
		return (int64_t)value;
	}
}

/* Steps over a block and returns its start; NULL where it does not fit. */
static inline const uint8_t *dwarf_block(struct dwarf *dwarf, uint64_t bytes)
{
	const uint8_t *block = dwarf->at;
	if ((uint64_t)(dwarf->end - dwarf->at) < bytes) {
		dwarf->bad = true;
		dwarf->at = dwarf->end;
		return NULL;
	}
	dwarf->at += bytes;
	return block;
}

#endif
