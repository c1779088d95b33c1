/*
 * How often a place has opened descriptors, as far as it matters: once, or more often; and whether any of them was closed. What is
 * opened once may be meant to stay open until the end (a lock on a file, a name that must not be taken twice), though
 * nobody keeps its number.
 */
#ifndef WH_REGISTRY_OPENED_H
#define WH_REGISTRY_OPENED_H

#include "registry/format.h"

/* Something was opened there; one of what was is closed. Context: hook. */
void opened_count(stack_id stack);
void opened_closed(stack_id stack);

/* Whether it was not just once, for good. False also where that is not known. Context: hook, reporter. */
bool opened_again(stack_id stack);

/*
 * Numbers that the program has waited for by their bits (select): it may keep nothing else of them. `bits` are those from number
 * `at` on, a multiple of 64. Once the number is opened anew that is over. Context: hook.
 */
#define OPENED_NUMBERS 65536u
void opened_met(uint64_t at, uint64_t bits);
void opened_unmet(uint64_t number);

/* The bits of the 64 numbers from `at` on. Context: hook, reporter. */
uint64_t opened_by_bits(uint64_t at);

/* In a fork child: what the parent has opened is its own business. */
void opened_fork_child(void);

#endif
