/*
 * Allocations: every live block, found by its address (address_map.h), with the
 * site (stack) that made it and the counters of that site (count.h).
 *
 * What is known of a block are 16 bytes in a slab. No lock: whoever owns a
 * block is the only one who may touch its entry, so a block is forgotten
 * *before* the real free (afterwards another thread may own the address) and
 * learned after the real malloc.
 */
#ifndef WH_REGISTRY_ALLOCATION_H
#define WH_REGISTRY_ALLOCATION_H

#include "base/context.h"
#include "registry/address_map.h"
#include "registry/format.h"
#include "registry/thread.h"

/* Which family a block is of. Numbered so that those which are given back alike differ in no bit, or the lowest. */
enum allocation_kind {
	ALLOCATED_MALLOC = 0,
	ALLOCATED_ALIGNED = 1, /* memalign and its kin: given to free as well */
	ALLOCATED_NEW = 2,
	ALLOCATED_NEW_ARRAY = 3,
	ALLOCATED_NEW_ALIGNED = 6,
	ALLOCATED_NEW_ARRAY_ALIGNED = 7,
};

enum allocation_flag {
	ALLOCATION_ROOT = 1,    /* made by the loader or libc for itself: never lost */
	ALLOCATION_SAMPLED = 2, /* one of several: counts for more than itself */
	ALLOCATION_LOCK = 4,    /* there is, or was, a lock in it */
	ALLOCATION_POOL = 8,    /* there are, or were, blocks of a pool in it */
};

struct allocation {
	uint64_t address;
	uint64_t size; /* as asked for */
	site_id site;
	uint32_t born;   /* the era (rec_header.era) in which it was made */
	uint32_t thread; /* thread_id, the low 20 bits */
	uint8_t kind;    /* enum allocation_kind */
	uint8_t flags;   /* enum allocation_flag */
};

/* Of a thread_id, as much as is kept with a block. */
#define ALLOCATION_THREADS ((1u << 20) - 1)

/* How blocks of that kind are given back: the kind by which free, delete, ... are known. */
static inline enum allocation_kind allocation_given_back(enum allocation_kind kind)
{
	return kind == ALLOCATED_ALIGNED ? ALLOCATED_MALLOC : kind;
}

/* Fine enough that waiting for the next one (wh_now) is nothing; 32 bits of them are 497 days. */
#define ALLOCATION_TICK (10 * NSEC_PER_MSEC)

/*
 * An address in disguise. What a function calls saves its registers on the stack, where they stay
 * long after; later frames that don't fill all of their slots would then show the leak scan a pointer
 * to a block that the program itself has lost.
 */
static inline uint64_t allocation_hide(const void *address)
{
	uint64_t hidden = ~(uint64_t)address;
	__asm__ volatile("" : "+r"(hidden));
	return hidden;
}

/* Whether every block is recorded, or a sample. Neither: there is no room for tables. Context: hook. */
bool allocation_exact(void);
bool allocation_sampled(void);

/* Every block was recorded so far; from now on a sample is. `why` (enum rec_degraded) is in the report. Context: hook. */
void allocation_sample_from_now(uint32_t why);

/*
 * Where blocks are sampled: whether one of `size` bytes is none of the sample, as nearly all. If so it is
 * counted on the way to the next one that is; if not, allocation_chosen is to be asked. Context: hook.
 */
static inline bool allocation_passed(size_t size)
{
	/* Below 0 only within allocation_chosen, which then draws anew. */
	uint64_t left = (uint64_t)self.until_sample;
	if (UNLIKELY(left <= size))
		return false;
	self.until_sample = (int64_t)(left - size);
	return true;
}

/*
 * Whether an allocation of `size` bytes is to be recorded: each one, or where they are sampled (the
 * option `alloc`, or the tracker has used up max_memory) one in a while. `ret_flags` gets the flag
 * to pass to allocation_begin. Context: hook.
 */
bool allocation_chosen(size_t size, unsigned *ret_flags);

/*
 * The block whose address is `hidden` (allocation_hide) is live from now on. Here and below the
 * caller has set self.busy: what a signal handler allocates meanwhile is not recorded. Context: hook. Keeps errno.
 */
void allocation_begin(uint64_t hidden, size_t size, enum allocation_kind kind, stack_id stack,
		      unsigned flags);

/* The same without flags, which nearly every block is. */
void allocation_made(uint64_t hidden, size_t size, enum allocation_kind kind, stack_id stack);

/*
 * The block at `address` is about to be freed. `ret_allocation`, unless NULL, gets what was known,
 * to put it back with allocation_restore where a realloc fails. Return: false: not one of ours.
 */
bool allocation_end(const void *address, struct allocation *ret_allocation);
/*
 * The same for free, and for operators delete of `kind`, where every block is recorded; `size` is what the call
 * says of it (SIZE_MAX: nothing), `caller` the return address.
 * Return: false: it takes more than the usual way, or the block is of another kind; nothing was done.
 */
bool allocation_freed(const void *address, const void *caller);
bool allocation_deleted(const void *address, enum allocation_kind kind, size_t size, const void *caller);
void allocation_restore(const struct allocation *was);

/*
 * Fetches into the cache what allocation_find will look at: in step 0 the entry of the table, in step 1, a moment later, the
 * record. Context: reporter.
 */
void allocation_fetch(uint64_t address, unsigned step);

/* What is known of the block that starts at `address`. */
bool allocation_find(const void *address, struct allocation *ret_allocation);

/*
 * The nearest live block that begins at or below `address`, within 1 GiB. All windows between the two are
 * looked at: not for usual ways. Context: hook.
 */
bool allocation_below(const void *address, struct allocation *ret_allocation);

/* The block that `address` lies in, if it begins within `most` bytes below. As allocation_below. */
bool allocation_around(uint64_t address, uint64_t most, struct allocation *ret_allocation);

/* There are blocks of a pool in the block at `start`: whoever frees it is to tell the pool (pool.h). Context: hook. */
void allocation_mark_pool(uint64_t start);

/*
 * There is a lock at `lock` that whoever frees the block around it, if it is one, is to be asked about. It stays so
 * when that lock is destroyed: there may be others in the block. Blocks that nobody says this of are freed the short way.
 * Context: hook, reporter.
 */
void allocation_mark_lock(uint64_t lock);

/* -- blocks that are gone --------------------------------------------------- */

/*
 * Whether the last block that began at `address` was freed and no other came to begin there; from which
 * site (0: unknown). To be believed where allocation_certain says so. Context: hook.
 */
bool allocation_was_freed(const void *address, site_id *ret_site);
/* The same of blocks that a forked child has from its parent; see address_map_inherited. Context: hook. */
enum address_was allocation_inherited(const void *address, bool frees);
/* Somebody has been given a block at `address` that is not recorded. Context: hook. */
void allocation_unseen(const void *address);
/* From now on blocks may come and go without anybody's knowledge. Context: signal. */
void allocation_doubt(void);
/* Whether that is not so, and never was; nor was any block left unrecorded for being none of a sample. Context: hook. */
bool allocation_certain(void);

/*
 * Every live block in ascending order of address, at one moment or about it: blocks that come or
 * go meanwhile may be missed or seen. Return: false from `each` ends it.
 * Context: reporter (also in a forked image of the process).
 */
void allocation_each(bool (*each)(const struct allocation *allocation, void *data), void *data);

/* How many live blocks there are, about. */
uint64_t allocation_count(void);

/* Blocks that lie in memory which a fork parent left are not known any more. Context: hook, in the child. */
void allocation_fork_child(void);
/*
 * Whether the heap may hold blocks of the program that nothing is known of: in a fork child, where
 * allocations are sampled, and where the program may get some by names that nobody stands before (foreign_heap.h).
 */
bool allocation_partial(void);

/* The thread ends: what it keeps for itself goes back. Context: hook. */
void allocation_thread_end(void);

/* A block handed out before the shim had started: known from now on, as a root. Context: init. */
void allocation_early(const void *address, size_t size);

#endif
