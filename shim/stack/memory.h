/*
 * Memory that may not be there: asked for without a fault, with no handler, no
 * lock and nothing that a thread keeps. And what a walk up a stack may read.
 */
#ifndef WH_STACK_MEMORY_H
#define WH_STACK_MEMORY_H

#include "base/context.h"
#include "base/types.h"

#define MEMORY_PAGE UINT64_C(4096)

/* For what reads other functions' frames, which tests under AddressSanitizer must not take for an error. */
#define READS_STACKS __attribute__((no_sanitize("address")))

/* Whether the aligned word at `address`, and so its page, can be read now. One system call. Context: signal. */
bool memory_readable(uint64_t address);

/*
 * Copies `bytes` bytes from `from`, also while another thread unmaps them. Return: false where not
 * all of them could be read; what `to` holds is undefined then. Context: signal; a system call or three.
 */
bool memory_copy(void *to, uint64_t from, size_t bytes);

/*
 * What a walk may read without asking: from its stack pointer up to the end of the thread's own
 * stack, which stays mapped as long as its frames live. On any other stack (alternate signal stacks,
 * coroutines) a page is asked for once a walk; what was true in an earlier one says nothing.
 */
struct reach {
	uint64_t floor, top; /* words from floor up to below top are there; none where top is 0 */
	uint64_t page;       /* the page that was last asked for and is there; 1: none */
	bool foreign;        /* another thread's stack: never read in place */
};

#define REACH_NOWHERE ((struct reach){ .page = 1 })

bool reach_ask(struct reach *reach, uint64_t address, uint64_t *ret_word);

/* The word at `address`. Return: false: it can't be read. Context: hook. */
READS_STACKS static inline bool reach_word(struct reach *reach, uint64_t address, uint64_t *ret_word)
{
	if (LIKELY(address >= reach->floor && address < reach->top)) {
		/* What is below top is not NULL. NOLINTNEXTLINE(clang-analyzer-core.NullDereference) */
		*ret_word = *(const uint64_t *)address;
		return true;
	}
	return reach_ask(reach, address, ret_word);
}

#endif
