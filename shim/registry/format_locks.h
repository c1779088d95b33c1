/*
 * Of the recording (registry/format.h): in which order locks are taken, and how they are used.
 */
#ifndef WH_REGISTRY_FORMAT_LOCKS_H
#define WH_REGISTRY_FORMAT_LOCKS_H

#include <stdatomic.h>

#include "base/types.h"

/* -- the order of locks ---------------------------------------------------- */

/*
 * Which threads were made and joined, in the order in which it happened: what came before what by
 * nature. `used` / the size is a clock: what a thread does at time T comes before an entry
 * of its own at index >= T, and after one at an index < T.
 */
enum lineage_kind { LINEAGE_NONE, LINEAGE_CREATED, LINEAGE_JOINED };

struct rec_lineage {
	thread_id by;  /* who creates, and will have created; who has joined */
	thread_id of;  /* who is made, who was joined */
	uint32_t kind; /* enum lineage_kind; LINEAGE_NONE: being written */
	uint32_t spare;
};

/*
 * A lock that was taken with another one held, or held then. Identified by its index + 1. One that is
 * destroyed, initialised anew or whose memory was freed is another lock from then on.
 */
struct rec_lock {
	uint64_t address;
	stack_id made;   /* of its init call, else of the allocation that it lies in; 0: unknown, or static */
	uint32_t offset; /* into that allocation */
	uint8_t kind;    /* enum kind */
	uint8_t
	    is_none; /* a semaphore that has turned out to be none: somebody posted it who had not taken it */
	uint8_t spare[2];
	uint32_t units; /* of a semaphore: how many can have it at once */
	uint32_t place; /* the block that it lies in (REC_PLACES); 0: none, or not known */
	uint32_t spare2;
};

#define REC_EDGE_GUARDS 6u
#define REC_EDGE_SIGHTS 6u

/* One time that a thread did so; of each thread the first time and the newest at the most. */
struct rec_sight {
	_Atomic thread_id thread; /* 0: none, or being written */
	_Atomic uint32_t time;    /* in entries of REC_LINEAGE */
	stack_id held_stack, acquired_stack;
	text_id name; /* of the thread then: its slot may be another's by now */
};

/* A lock was acquired, by a call that may block, with another one held. One a pair, modes and guards. */
struct rec_edge {
	_Atomic uint32_t held; /* a lock; 0: being written */
	uint32_t acquired;     /* a lock */
	uint8_t held_mode, acquired_mode;
	uint8_t guard_count;
	uint8_t more_guards; /* 1: there were others, which are not in `guards` */
	uint16_t held_op, acquired_op;
	uint32_t
	    guards[REC_EDGE_GUARDS]; /* what else was held, the outermost first: lock * 2, + 1 where shared */
	struct rec_sight sights[REC_EDGE_SIGHTS];
};

/* -- how locks are used ---------------------------------------------------- */

/* A lock as it is taken from one place (registry/contention.h). Identified by its index + 1. Times are ns. */
struct rec_use {
	uint64_t handle; /* 0: several, all that are taken there but those with a use of their own */
	stack_id stack;  /* 0: entry not complete, or a stack that could not be captured */
	uint32_t next;   /* in the bucket of the index, which is private memory; private to it */
	uint16_t op;     /* enum op; OP_none: not complete */
	uint8_t kind;    /* enum kind */
	uint8_t mode;    /* enum mode */
	uint32_t spare;
	_Atomic uint64_t taken; /* times; what the threads' cells have is not in it */
	_Atomic uint64_t waits; /* times that it was seen taken when it was asked for */
	_Atomic uint64_t waited, waited_most;
	_Atomic uint64_t held, held_most;
	_Atomic uint64_t made_wait;       /* by those who waited while it was held from here */
	_Atomic uint64_t made_wait_times; /* releases with somebody waiting */
	uint64_t
	    own; /* of several locks: a bit each for the hashes of those that are not among them; private */
};

/*
 * How often a thread has taken what it has not yet added to the uses: see struct rec_cells. A cell says which use it
 * counts for, so where it lies is the thread's own business.
 */
#define REC_USE_CELLS_EACH 128u

struct rec_use_cell {
	uint64_t handle;
	stack_id stack;
	_Atomic uint32_t use; /* 0: the cell does not count */
	_Atomic uint64_t taken;
	uint64_t spare;
};

struct rec_use_cells {
	_Atomic uint32_t owned; /* 0: free, all cells are zero */
	thread_id owner;
	uint64_t spare[7];
	struct rec_use_cell cells[REC_USE_CELLS_EACH];
};

/* -- where locks lie -------------------------------------------------------- */

enum rec_place_sort {
	PLACE_NOWHERE, /* in nothing that has a name of its own, or in a module, whose symbols are looked up */
	PLACE_BLOCK,   /* in a block of the heap */
	PLACE_STACK,   /* on the stack of a thread */
	PLACE_TLS,     /* in the thread-local storage of a thread */
	PLACE_FILE,    /* in a shared mapping of a file */
};

/* That are recorded; half of them for what findings speak of, and a quarter for locks whose order is known. Chosen by feel. */
#define REC_PLACES_MOST 8192u

/*
 * Where something was that a thread held or waited for, when that was so (reporter/places.h). Identified by its
 * index + 1. Nothing of it changes but `seen`.
 */
struct rec_place {
	uint64_t address;
	_Atomic nsec_t seen; /* CLOCK_MONOTONIC: when it was last found to be so */
	uint64_t
	    offset; /* into the block, the file, or a library's storage; of the program's: below the thread pointer */
	uint64_t bytes;   /* of the block */
	stack_id stack;   /* where the block was allocated; of the thread that the stack belongs to */
	thread_id thread; /* whose stack or storage it is */
	text_id path;     /* of the file */
	uint16_t sort;    /* enum rec_place_sort */
	uint16_t
	    frame;     /* PLACE_STACK: which frame of `stack` it lies in, from 1, the innermost; 0: unknown */
	uint32_t born; /* PLACE_BLOCK: the era (rec_header.era) in which the block was made */
	uint32_t module; /* PLACE_TLS: of a library, its number in REC_MODULES + 1; 0: of the program */
	uint64_t below;  /* ... and how many bytes below the end of that frame, behind its return address */
};

/* -- who signals -------------------------------------------------------------- */

#define REC_SIGNAL_NAME_BYTES 16u /* the kernel's limit, NUL included */
#define REC_SIGNALS_MOST 4096u    /* objects that are known; chosen by feel */
#define REC_SIGNALS_NEAR 8u       /* places from its own on that an object may be in */

/* Who has last signalled a condition, or posted a semaphore (registry/signalled.h). */
struct rec_signal {
	_Atomic uint64_t object;  /* rec_signal_object; 0: none */
	_Atomic nsec_t at;        /* of the tick before */
	_Atomic uint32_t changes; /* sequence lock; odd: being written */
	uint32_t count;           /* times that the object was signalled, by whomever */
	nsec_t ended;             /* when that thread ended; 0: it has not, or has signalled others since */
	uint32_t era;             /* of the process, then */
	stack_id stack;
	thread_id thread;
	uint16_t op; /* enum op */
	uint16_t spare;
	char name[REC_SIGNAL_NAME_BYTES]; /* of the thread, then: its slot may be another's by now */
};

static inline uint64_t rec_signal_object(unsigned kind, uint64_t handle)
{
	return handle << 8 | kind;
}

static inline uint32_t rec_signal_place(uint64_t handle)
{
	return (uint32_t)(handle >> 3 ^ handle >> 15) % REC_SIGNALS_MOST;
}

_Static_assert(sizeof(struct rec_signal) == 64, "a cache line an object");
_Static_assert(sizeof(struct rec_place) == 64, "entries are packed");
_Static_assert(sizeof(struct rec_use) == 96 && sizeof(struct rec_use_cell) == 32, "entries are packed");
_Static_assert(sizeof(struct rec_use_cells) % 64 == 0, "cells begin and end with a cache line");
_Static_assert(sizeof(struct rec_edge) == 160 && sizeof(struct rec_lock) == 32, "entries are packed");

#endif
