/*
 * Mappings that the program made itself: resources of the kind MAPPING, whose handle is the address and which have so many bytes. What is
 * unmapped need not be what was mapped: any range may go, in the middle of one or over many, and mapping something else over
 * a range ends what was there. So beside the table of resources they are kept in the order of their addresses
 * (base/intervals.h), and what goes is cut out: what remains of a mapping before and behind it stays, with its place and its age.
 *
 * An end is known once the kernel has said so; by then another thread may have got the same addresses, and told of them. So
 * each mapping has a number that goes up, and what ends is what was there before the call: mapping_clock.
 *
 * Under one lock: a mapping costs a system call, which takes the kernel's lock of all of them.
 *
 * All functions: Context: hook. Keep errno.
 */
#ifndef WH_REGISTRY_MAPPING_H
#define WH_REGISTRY_MAPPING_H

#include "registry/hold.h"

/* To be asked before the real call that may end a mapping. */
uint64_t mapping_clock(void);

/* [start, start + bytes), whole pages, is mapped now, whatever was there before. `flags`: enum hold_flag. */
void mapping_begin(uint64_t start, uint64_t bytes, enum op op, stack_id stack, uint32_t flags);

/*
 * Of what was there when the clock was `before`, nothing is left in [start, start + bytes). What is left around it gets `flags` (enum
 * hold_flag) besides.
 */
void mapping_end(uint64_t start, uint64_t bytes, uint64_t before, uint32_t flags);

/* The mapping that holds `address`. Return: whether there is one. */
bool mapping_find(uint64_t address, struct rec_hold *ret_hold);

/* In a fork child: what the parent has mapped is there too, but none of its business. */
void mapping_fork_child(void);

#endif
