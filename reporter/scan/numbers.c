#include "reporter/scan/numbers.h"

#include "base/digits.h"
#include "registry/kind.h"
#include "reporter/scan/memory.h"
#include "reporter/scan/polled.h"

void numbers_ignore(struct numbers *numbers, uint64_t start, uint64_t end)
{
	if (numbers->ignored_count < COUNT_OF(numbers->ignored))
		numbers->ignored[numbers->ignored_count++] = (struct range){ start, end };
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

void numbers_look(struct numbers *numbers, const uint64_t *words, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++) {
		uint64_t at = (uintptr_t)&words[i];
		uint32_t low = (uint32_t)words[i], high = (uint32_t)(words[i] >> 32);
		if (LIKELY(low >= numbers->limit && high >= numbers->limit) || is_ignored(numbers, at))
			continue;
		look_at(numbers, low);
		look_at(numbers, high);
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
