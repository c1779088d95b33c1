/*
 * Misuse that hooks catch on the spot: an unlock by a stranger, a second free. A hook notes it and goes on; the
 * reporter, or whoever reads the recording after a crash, makes a finding of it.
 *
 * Folded by kind and stacks: what happens again at the same place is counted. Bounded: past
 * MISUSES_MOST different ones the rest is counted as lost.
 */
#ifndef WH_REGISTRY_MISUSE_H
#define WH_REGISTRY_MISUSE_H

#include "base/context.h"
#include "registry/format.h"
#include "registry/kind.h"

enum misuse_kind {
#define MISUSE(id, finding, first, second, third) MISUSE_##id,
#include "registry/misuses.def"
	MISUSE_COUNT
};

#define MISUSES_MOST 512u

/* What an invalid-free was of: rec_misuse.flags, and where it says so offset and amount, the size of that block. */
enum misuse_where {
	MISUSE_NOWHERE,   /* no address that an allocator could have given */
	MISUSE_INSIDE,    /* of a live block */
	MISUSE_BEFORE,    /* just before a live block */
	MISUSE_ON_STACK,  /* a variable of a function that runs */
	MISUSE_IN_MODULE, /* code or data of the program or a library */
};

/* What a bad-size was: rec_misuse.flags; with the size or alignment as amount. */
enum misuse_size {
	MISUSE_SIZE,      /* too large, and refused */
	MISUSE_PRODUCT,   /* amount times handle overflowed, and was refused */
	MISUSE_ALIGNMENT, /* an alignment that was refused */
	MISUSE_ROUNDED,   /* an alignment that is no power of two, and was made one */
};

/*
 * A process that makes so many more blocks has got over what it was refused. parts[1].serial is how many it had made then, modulo 2^32;
 * chosen somewhat arbitrarily: it is what a program needs to say what went wrong and to end.
 */
#define MISUSE_SIZE_BLOCKS 4096u

/* What is wrong with a thread that is joined or detached (released-twice): rec_misuse.flags. */
enum misuse_thread {
	MISUSE_THREAD_AGAIN,   /* it was before, or was made detached */
	MISUSE_THREAD_AT_ONCE, /* another thread is joining it */
	MISUSE_THREAD_ITSELF,  /* by itself */
};

/* Of a mismatched-free: which kind of block (enum allocation_kind) was given back as which. */
static inline uint16_t misuse_kinds(unsigned made, unsigned given_back)
{
	return (uint16_t)(made | given_back << 4);
}

/* The part of the calling thread, now. `stack` is where; 0: not captured. Context: hook. */
struct rec_misuse_part misuse_now(stack_id stack, enum op op);

/* The part of who took `hold`, which may be another thread's. Context: hook. */
struct rec_misuse_part misuse_hold(const struct rec_hold *hold);

/*
 * Notes what `what` tells (its count is ignored). Return: whether it is the first of its kind and stacks;
 * also false where there was no room. Context: hook.
 */
bool misuse_note(const struct rec_misuse *what);

/* In a fork child: nothing has happened there yet. Context: hook. */
void misuse_fork_child(void);

#endif
