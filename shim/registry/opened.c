#include "registry/opened.h"

#include <string.h>

#include "base/hash.h"

/*
 * An entry each for stacks whose ids fall there; the first has it to itself, so of others nothing is known. The stack that
 * is noted tells whose it is.
 */
#define PLACES 4096u

static struct opened {
	stack_id stack;
	uint32_t count;
	bool closed;
} places[PLACES];

static struct opened *place_of(stack_id stack)
{
	return &places[hash_mix(stack) % PLACES];
}

/* Threads that count at the same time may lose one of the two: the next one makes up for it. */
void opened_count(stack_id stack)
{
	struct opened *place = place_of(stack);
	if (!stack)
		return;
	if (!place->count)
		__atomic_store_n(&place->stack, stack, __ATOMIC_RELAXED);
	if (__atomic_load_n(&place->stack, __ATOMIC_RELAXED) == stack)
		__atomic_store_n(&place->count, __atomic_load_n(&place->count, __ATOMIC_RELAXED) + 1,
				 __ATOMIC_RELAXED);
}

void opened_closed(stack_id stack)
{
	struct opened *place = place_of(stack);
	if (__atomic_load_n(&place->stack, __ATOMIC_RELAXED) == stack)
		__atomic_store_n(&place->closed, true, __ATOMIC_RELAXED);
}

bool opened_again(stack_id stack)
{
	const struct opened *place = place_of(stack);
	return stack && __atomic_load_n(&place->stack, __ATOMIC_RELAXED) == stack &&
	       (__atomic_load_n(&place->count, __ATOMIC_RELAXED) > 1 ||
		__atomic_load_n(&place->closed, __ATOMIC_RELAXED));
}

static uint64_t met[OPENED_NUMBERS / 64];

void opened_met(uint64_t at, uint64_t bits)
{
	/* Mostly they are the same as before. */
	if (at < OPENED_NUMBERS && (bits & ~opened_by_bits(at)))
		__atomic_fetch_or(&met[at / 64], bits, __ATOMIC_RELAXED);
}

void opened_unmet(uint64_t number)
{
	uint64_t bit = UINT64_C(1) << (number % 64);
	if (number < OPENED_NUMBERS && (opened_by_bits(number) & bit))
		__atomic_fetch_and(&met[number / 64], ~bit, __ATOMIC_RELAXED);
}

uint64_t opened_by_bits(uint64_t at)
{
	return at < OPENED_NUMBERS ? __atomic_load_n(&met[at / 64], __ATOMIC_RELAXED) : 0;
}

void opened_fork_child(void)
{
	memset(places, 0, sizeof places);
}
