/*
 * Of the recording (registry/format.h): what is known over time: how long iterations took, a sample of them whole, the
 * process's counters, and what of a site survives.
 */
#ifndef WH_REGISTRY_FORMAT_TIME_H
#define WH_REGISTRY_FORMAT_TIME_H

#include <stdatomic.h>

#include "base/types.h"

/* -- iterations ---------------------------------------------------------------- */

/*
 * Durations are counted in milliseconds, by buckets: eight for each power of two, so that what is told of them
 * is right to an eighth; the last one takes what is longer. The clock is the kernel's coarse one.
 */
#define REC_DURATIONS 176u
#define REC_ITERATION_PARTS 4u

static inline unsigned rec_duration_bucket(nsec_t duration)
{
	uint64_t ms = duration / NSEC_PER_MSEC;
	if (ms < 8)
		return (unsigned)ms;
	unsigned shift = 60 - (unsigned)__builtin_clzll(ms);
	unsigned bucket = (shift + 1) * 8 + (unsigned)(ms >> shift & 7);
	return bucket < REC_DURATIONS ? bucket : REC_DURATIONS - 1;
}

/* The shortest duration in it. */
static inline nsec_t rec_duration_from(unsigned bucket)
{
	uint64_t ms = bucket < 8 ? bucket : (uint64_t)(8 + bucket % 8) << (bucket / 8 - 1);
	return ms * NSEC_PER_MSEC;
}

/* How long iterators of one kind that were opened from one stack have been open, those that are closed. */
struct rec_iteration {
	stack_id stack;
	uint8_t kind; /* enum kind */
	uint8_t spare[3];
	_Atomic uint64_t count; /* 0: being written */
	_Atomic uint64_t total; /* ns */
	_Atomic uint64_t longest;
	/* Of the last while, a ring: how many, and how many of them took longer than the option iteration_slow. */
	struct {
		_Atomic uint32_t count, slow;
	} parts[REC_ITERATION_PARTS];
	_Atomic uint32_t durations[REC_DURATIONS];
};

/* -- spans ----------------------------------------------------------------------- */

#define REC_SPANS_COUNT 4096u

/*
 * One iteration of the sample that the option `spans` asks for, from its beginning to its end. A ring: the place
 * of span N (counted by rec_header.spans) is N % REC_SPANS_COUNT.
 */
struct rec_span {
	_Atomic nsec_t begin; /* CLOCK_MONOTONIC; 0: being written */
	_Atomic nsec_t end;   /* 0: it lasts */
	uint64_t handle, container;
	uint64_t allocated,
	    freed;      /* bytes, meanwhile, by the thread; until the end: what it had allocated before */
	nsec_t cpu;     /* processor time of the thread, likewise */
	stack_id stack; /* where it was opened */
	text_id name;
	thread_id thread;
	int32_t tid;
	uint32_t serial;          /* of the hold in its thread */
	uint8_t kind;             /* enum kind */
	uint8_t closed_elsewhere; /* by another thread: of what was done meanwhile nothing is known */
	/* What the thread was seen blocked on for longest, by the looks of the reporter; nothing where wait_op is 0. */
	uint16_t wait_op;
	uint8_t wait_kind;
	uint8_t spare[3];
	stack_id wait_stack;
	uint64_t wait_handle;
	nsec_t waited; /* up to the last look that saw it */
};

/* -- counters over time ---------------------------------------------------- */

#define REC_SERIES_COUNT 4096u

/* A ring: entry (number % REC_SERIES_COUNT); `used` counts all ever written, times the size. */
struct rec_point {
	nsec_t at;
	uint64_t live_bytes, live_blocks;
	uint64_t total_bytes; /* ever allocated */
	uint64_t rss_bytes;   /* in memory, without pages of files and shared memory */
	uint64_t
	    taken_bytes; /* by libc's allocator, in its arenas: in memory; 0: unknown, or not worth a look */
	uint64_t used_bytes; /* of them allocated, with what each block costs besides */
	uint32_t threads, blocked;
};

/*
 * The arenas of libc's allocator when they were last measured, and the sites whose blocks are in most
 * of their pages. The reporter thread alone writes it; `count` is 0 meanwhile. One entry.
 */
#define REC_ARENAS_MOST 64u
#define REC_ARENA_PINS 4u

struct rec_arena {
	uint64_t arena; /* address of its state; 0: the main one */
	uint64_t taken, live, blocks;
};

struct rec_pin {
	uint64_t bytes; /* of pages in which a block of the site is the first live one */
	site_id site;
	uint32_t spare;
};

struct rec_arenas {
	_Atomic uint32_t count;
	uint32_t spare;
	struct rec_pin pins[REC_ARENA_PINS];
	struct rec_arena at[REC_ARENAS_MOST];
};

/* -- sites over time ------------------------------------------------------- */

#define REC_GROWTH_BANDS 8u

/* A window of time: what a site had live in it, and what of it lasted. */
struct rec_band {
	nsec_t from;
	uint64_t least_bytes; /* live at the least, all through it */
	uint64_t kept_bytes;  /* made in it and live when the last window ended; 0 before that was asked */
	uint64_t kept_blocks;
};

/*
 * A site whose live memory, at its lowest in each window, went up from window to window. The reporter thread
 * alone writes these (reporter/growth_clock.h).
 */
struct rec_growth {
	_Atomic site_id site;               /* 0: none, or being written */
	uint32_t count;                     /* windows, the oldest first, one behind the other */
	nsec_t until;                       /* end of the last one */
	uint64_t older_bytes, older_blocks; /* live, and made before the first of them */
	struct rec_band bands[REC_GROWTH_BANDS];
};

#endif
