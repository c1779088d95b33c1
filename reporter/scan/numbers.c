#include "reporter/scan/numbers.h"

#include <string.h>

#include "base/digits.h"
#include "registry/kind.h"
#include "registry/opened.h"
#include "reporter/scan/memory.h"
#include "reporter/scan/polled.h"

void numbers_ignore(struct numbers *numbers, uint64_t start, uint64_t end)
{
	if (numbers->ignored_count < COUNT_OF(numbers->ignored))
		numbers->ignored[numbers->ignored_count++] = (struct range){ start, end };
}

/* What it has waited for by its bit it may keep as that. */
static void know_bits(struct numbers *numbers)
{
	for (uint64_t at = 0; at < NUMBERS_MOST; at += 64)
		numbers->known[at / 64] |= numbers->wanted[at / 64] & opened_by_bits(at);
}

struct numbers *numbers_make(const struct snapshot *snapshot)
{
	struct numbers *numbers = NULL;
	for (uint32_t i = 0; i < snapshot->resource_count; i++) {
		const struct rec_hold *hold = &snapshot->resources[i];
		if (hold->kind != KIND_DESCRIPTOR || hold->handle >= NUMBERS_MOST)
			continue;
		if (!numbers)
			numbers = memory_array(1, sizeof *numbers);
		if (!numbers)
			return NULL;
		numbers->wanted[hold->handle / 64] |= UINT64_C(1) << (hold->handle % 64);
		numbers->limit = MAX_OF(numbers->limit, (uint32_t)hold->handle + 1);
	}
	if (numbers)
		know_bits(numbers);
	return numbers;
}

void numbers_free(struct numbers *numbers)
{
	memory_free(numbers, 1, sizeof *numbers);
}

static bool is_ignored(const struct numbers *numbers, uint64_t address)
{
	for (uint32_t i = 0; i < numbers->ignored_count; i++)
		if (address >= numbers->ignored[i].start && address < numbers->ignored[i].end)
			return true;
	return false;
}

static inline void look_at(struct numbers *numbers, uint32_t number)
{
	if (UNLIKELY(number < numbers->limit))
		numbers->known[number / 64] |= numbers->wanted[number / 64] & UINT64_C(1) << (number % 64);
}

/* Exponents of doubles from 1 to NUMBERS_MOST. */
#define EXPONENT_SHIFT 52u
#define EXPONENT_OF_1 0x3ffu
#define EXPONENTS 17u

static inline bool may_be_double(uint64_t word)
{
	return (word >> EXPONENT_SHIFT) - EXPONENT_OF_1 < EXPONENTS;
}

/* A word of a language whose values carry their type: OCaml and Ruby have 2n + 1, SBCL 2n, Emacs and Guile 4n + 2, Lua a double. */
static void look_at_value(struct numbers *numbers, uint64_t word)
{
	if (word < 4 * (uint64_t)numbers->limit) {
		look_at(numbers, (uint32_t)word >> 1);
		if (word % 4 == 2)
			look_at(numbers, (uint32_t)word >> 2);
	} else if (may_be_double(word)) {
		double value;
		memcpy(&value, &word, sizeof value);
		if (value == (double)(uint32_t)value)
			look_at(numbers, (uint32_t)value);
	}
}

void numbers_look(struct numbers *numbers, const uint64_t *words, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++) {
		uint64_t at = (uintptr_t)&words[i];
		uint32_t low = (uint32_t)words[i], high = (uint32_t)(words[i] >> 32);
		bool value = words[i] < 4 * (uint64_t)numbers->limit || may_be_double(words[i]);
		if (LIKELY(low >= numbers->limit && high >= numbers->limit && !value) ||
		    is_ignored(numbers, at))
			continue;
		look_at(numbers, low);
		look_at(numbers, high);
		if (value)
			look_at_value(numbers, words[i]);
	}
}

static void look_at_file(const char *text, void *data)
{
	uint64_t number;
	for (const char *at = text; (at = digits_behind(at, "tfd:"));) {
		at = digits_decimal(at, &number);
		look_at(data, (uint32_t)number);
	}
}

void numbers_polled(struct numbers *numbers, int32_t pid)
{
	polled_each(pid, look_at_file, numbers);
}

bool numbers_known(const struct numbers *numbers, uint64_t number)
{
	return number >= NUMBERS_MOST || numbers->known[number / 64] >> (number % 64) & 1;
}
