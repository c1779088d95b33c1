/*
 * Threads: a slot in the recording for each, written by its own thread alone.
 *
 *   thread_create ──▶ slot STARTING ──▶ thread_begin (on the new thread) ──▶ RUNNING
 *        last thread-specific destructor ──▶ thread_end ──▶ ENDED ──▶ joined or detached ──▶ FREE
 *
 * A thread that the shim did not see created (timers, raw clone) gets a slot at
 * its first event. The registry knows nothing of pthreads but the key whose
 * destructor tells it of a thread's end (platform/tsd.h).
 */
#ifndef WH_REGISTRY_THREAD_H
#define WH_REGISTRY_THREAD_H

#include "base/context.h"
#include "registry/format.h"
#include "registry/kind.h"

/*
 * What a thread knows about itself. Initial-exec: reading it never allocates. Zero is a
 * thread that nothing has been heard of yet.
 */
struct region; /* of address_map/ */

struct forking;

/* What each call into the real allocator, one within the other, adds to self_state.busy. */
#define SELF_IN_ALLOCATOR 0x10000u

struct self_state {
	struct rec_thread *slot;
	uint32_t
	    busy; /* > 0: inside the registry or a real allocation; events are not recorded. See SELF_IN_ALLOCATOR */
	uint32_t generation;   /* of the process (fork): a slot of another generation is not ours */
	bool ended;            /* the slot was given back: late events are not recorded */
	bool guest;            /* the reporter thread: nothing of it is recorded */
	uint8_t end_rounds;    /* thread-specific destructor rounds seen */
	uint32_t until_clock;  /* allocations until the next look at the clock */
	int64_t until_sample;  /* bytes until the next allocation that is recorded, where they are sampled */
	uint64_t sample_state; /* sampling/: random numbers */
	uint32_t until_kept;   /* hooks/kept: freed blocks until the end of the next run that is kept back */
	/* count/: what this thread counts by site, one block or several in a row; and one less than they have cells */
	struct rec_cells *cells;
	uint32_t cell_mask;
	uint32_t cells_moved; /* how often a cell was taken for another site */
	bool moving_cell;     /* count/: a cell is between two sites */
	uint32_t counted;     /* count/: blocks counted without cells */
	uint64_t made_bytes,
	    freed_bytes; /* count/: what was counted for the process, ever; see count_flush */
	void *scratch;   /* stack/: frames being captured; private mapping of this thread */
	uint32_t scratch_busy;
	uint32_t opening_serial; /* stack/: the thread's newest hold at that time */
	uint64_t opening_sp; /* stack/: where dlopen was called that may have brought modules; 0: nowhere */
	uint64_t near; /* address_map/: number of the region that was asked for last, and one; 0: none */
	struct region *region; /* address_map/: that region ... */
	uint32_t *windows;     /* ... and its windows */
	uint32_t free_records; /* allocation/: this thread's magazine of free records */
	uint32_t free_record_count;
	uint32_t magazine; /* its name; 0: none yet */
	struct magazine {
		uint32_t top, count, name;
	} beside;                        /* allocation/: another one, full or empty */
	struct rec_use_cells *use_cells; /* contention/: how often this thread takes what: as `cells` */
	uint32_t use_mask, use_cells_moved;
	uint32_t taken_uncounted;      /* contention/: locks taken without cells */
	stack_id forked_at;            /* where it is about to fork, for orphan/; 0: unknown */
	const struct forking *forking; /* while it forks: what its child has from it; NULL: not known */
	uint64_t *order_seen;  /* order/: what it has seen itself hold; a private page of this thread */
	uint16_t signalled[4]; /* signalled/: places of what it has signalled last, from 1 */
	/* A block that is being moved by realloc, and known to no table meanwhile; 0: none. For the scan of an image. */
	uint64_t moving, moving_bytes;
	uint64_t
	    signal_stack; /* what it gave to sigaltstack, which nobody else can ask the kernel for; 0: none */
};

extern HIDDEN __thread struct self_state self TLS_IE;

/*
 * The calling thread's slot, taking one if it has none; NULL where there is no room or the
 * thread is a guest or has ended. Context: hook.
 */
struct rec_thread *thread_slot(void);

/*
 * A slot for a thread that is about to be created by the caller; NULL: no room (the thread will
 * be tracked from its first event). `detached` as the attributes say. Context: hook.
 */
struct rec_thread *thread_create(stack_id stack, uint64_t start_routine, uint64_t argument, bool detached);
/* What stack it will have: its size, and where it lies (0: that is libc's to choose). Before it is created. */
void thread_stack(struct rec_thread *slot, uint64_t low, uint64_t bytes);
/* The creation failed: the slot is free again. */
void thread_create_failed(struct rec_thread *slot);
/* The creator knows the pthread_t once pthread_create has returned; the new thread may have said so before. */
void thread_created(struct rec_thread *slot, uint64_t pthread);

/* On the new thread, before its start routine. Context: hook. */
void thread_begin(struct rec_thread *slot);

/* On the thread, when its last event is over. Called by the key's destructor. Context: hook. */
void thread_end(void);

/*
 * The same where its destructors are still to come, and may yet give back what it holds: nothing is said
 * of that. Context: hook.
 */
void thread_end_early(void);

/* What is told of a thread that may be gone. */
struct thread_brief {
	uint64_t pthread;
	thread_id id;
	uint32_t flags; /* enum thread_flag */
	stack_id created_stack;
	nsec_t started;
	char name[REC_NAME_BYTES];
};

/* The thread with that pthread_t, newest first, live or ended and not joined. Return: false: none is known. Context: hook. */
bool thread_brief(uint64_t pthread, struct thread_brief *ret_brief);

/*
 * Whether there may be threads whose pthread_t is not known: that are just being created, or found no room.
 * Context: hook.
 */
bool thread_unnamed(void);

/*
 * Who made that thread, also after its slot is somebody else's (for the last 65536 threads); 0: unknown.
 * A thread has a greater number than its maker. Context: signal.
 */
thread_id thread_creator(thread_id id);

/* It was joined / detached / told to end: once joined or detached, its slot is free as soon as it has ended and holds nothing. Context: hook. */
void thread_joined(thread_id id, uint64_t pthread);
void thread_detached(uint64_t pthread);
void thread_cancelled(uint64_t pthread);
void thread_set_name(uint64_t pthread, const char *name);

/* Live slots, the reporter thread not counted. Context: signal. */
uint32_t thread_live_count(void);

/* What a thread has when it forks, for its child: the recording is shared, and in it the parent goes on. */
#define FORKING_HOLDS \
	8u /* somewhat arbitrary: it lies on the thread's stack; of more the child knows nothing */
struct forking {
	uint32_t flags, hold_count;
	struct rec_hold holds[FORKING_HOLDS];
};

/* Before the calling thread forks. `ret_forking` belongs to it until then. Context: hook. */
void thread_fork_prepare(struct forking *ret_forking);

/* In a fork child: all slots are gone; the caller gets one as the main thread, with the holds that it had. */
void thread_fork_child(const struct forking *before);

/* -- the slot's sequence lock, for registry/ only -- */
void thread_write_begin(struct rec_thread *slot);
void thread_write_end(struct rec_thread *slot);

#endif
