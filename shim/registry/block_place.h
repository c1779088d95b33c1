/*
 * In which block of the heap something lies (REC_PLACES), noted when it happens: of misuse and of the order of locks a
 * reader is told when the block may long be gone.
 *
 * Context: hook.
 */
#ifndef WH_REGISTRY_BLOCK_PLACE_H
#define WH_REGISTRY_BLOCK_PLACE_H

#include "base/context.h"
#include "registry/allocation.h"
#include "registry/format.h"

/*
 * The program's block that holds `address`, as it is now, and begins within `most` bytes below: fills all of `ret_place` but
 * when it was seen. Return: false: none does.
 */
bool block_place_find(uint64_t address, uint64_t most, struct rec_place *ret_place);

/* Notes it as a place of its own. Return: its number; 0: in no block, or the table has `most` places or more. */
uint32_t block_place_note(uint64_t address, uint32_t most);

#endif
