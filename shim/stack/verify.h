/*
 * Comparing captured stacks with libunwind's, frame by frame, in a running program: the option verify_stacks.
 *
 * For developers of the unwinder. libunwind takes the loader's lock, makes system calls and needs kilobytes of
 * stack, in the middle of any call of malloc: a program that takes locks of its own in callbacks of
 * dl_iterate_phdr could come to a standstill.
 */
#ifndef WH_STACK_VERIFY_H
#define WH_STACK_VERIFY_H

#include "base/context.h"
#include "base/types.h"

extern HIDDEN uint32_t verify_every; /* one in so many captures is compared; 0: none */

/*
 * Whether the stack `id`, captured from `frame` (see stack_capture), is that which libunwind finds, as far as ours
 * goes. Counts in the recording; writes what is different to standard error, for the first few.
 *
 * Context: hook, with the exceptions above.
 */
bool verify_compare(const void *frame, stack_id id);

/* The same for one in verify_every, where there is enough room on the stack for libunwind. */
void verify_sometimes(const void *frame, stack_id id);

#endif
