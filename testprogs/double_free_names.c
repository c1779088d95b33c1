/*
 * glibc's functions have second names: a block that came by one of them, freed by free and again by a third name, is one block to all of
 * them.
 *
 * KINDS: double-free
 * EXPECT: memory from buffer_new was freed twice, the second time in close_input
 * EXPECT-STATUS: 134
 * EXPECT-JSON: finding("double-free") | has_frame("allocated"; "buffer_new"; {{line lib/two_owners.h new}}) and has_frame("freed"; "close_output"; {{line lib/two_owners.h first}}) and has_frame("freed-again"; "close_input"; {{line lib/two_owners.h again}})
 * LEAVES: recordings
 */
#include <stddef.h>

extern void *__libc_malloc(size_t size);
extern void __libc_free(void *block);

#define TAKE __libc_malloc
#define GIVE free
#define GIVE_AGAIN __libc_free
#include "lib/two_owners.h"
