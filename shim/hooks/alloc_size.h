/*
 * Sizes and alignments that no program means (bad-size): a negative number, more than any machine has, a product that
 * overflows, an alignment that is no power of two.
 *
 * An alignment that aligned_alloc of glibc has rounded up in silence is told of at once. What was refused may have been asked
 * on purpose, to see that it is, and so may what memalign rounds up: that is noted, and told only where the program comes to
 * a bad end soon after (reporter/detect/misuse.c).
 *
 * Each is called when it has happened, off the usual way. Context: hook. Keep errno.
 */
#ifndef WH_HOOKS_ALLOC_SIZE_H
#define WH_HOOKS_ALLOC_SIZE_H

#include "base/context.h"
#include "registry/kind.h"

/* `size` bytes were asked for, and there were none. `frame` is that of the hook, as for stack_capture. */
void alloc_size_refused(size_t size, enum op op, const void *frame);

/* The same for `count` times `size` bytes. */
void alloc_size_product_refused(size_t count, size_t size, enum op op, const void *frame);

/* An alignment that was refused, or else not what it seems to be. */
void alloc_size_aligned_other(bool refused, size_t alignment, size_t size, enum op op, const void *frame);

/* A block of any size has this alignment, whatever was asked for. */
#define ALLOC_SIZE_ALIGNED ((size_t)16)

/* Of every call that names an alignment; `refused`: it failed. */
static inline void alloc_size_aligned(bool refused, size_t alignment, size_t size, enum op op,
				      const void *frame)
{
	if (UNLIKELY(refused || ((alignment & (alignment - 1)) && alignment > ALLOC_SIZE_ALIGNED)))
		alloc_size_aligned_other(refused, alignment, size, op, frame);
}

#endif
