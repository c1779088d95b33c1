/*
 * A snapshot: a copy of who holds what and who waits for what, good enough to
 * judge by. Made by the reporter thread in the target, and by the command from
 * outside, with the same function. Detectors see snapshots and nothing else.
 *
 * A thread that kept changing while it was copied is left with `torn` set; its
 * holds and waits are what the last try saw, and no finding may rest on them.
 */
#ifndef WH_REGISTRY_SNAPSHOT_H
#define WH_REGISTRY_SNAPSHOT_H

#include "base/arena.h"
#include "registry/view.h"

struct snap_thread {
	thread_id id;
	int32_t tid;
	uint32_t slot;
	uint32_t
	    changes;    /* of the slot: equal in two snapshots = nothing happened to this thread in between */
	unsigned state; /* enum thread_state */
	unsigned flags; /* enum thread_flag */
	thread_id creator;
	stack_id created_stack;
	uint64_t pthread, start_routine;
	uint64_t argument, stack_low, stack_high, tls;
	nsec_t started, ended;
	char name[REC_NAME_BYTES]; /* "" where it has none */
	bool torn;
	bool waiting; /* `wait` is the innermost wait */
	struct rec_wait wait;
	struct rec_hold
	    *holds; /* live and parked ones, oldest first; their state is HOLD_LIVE or HOLD_PARKED */
	uint32_t hold_count;
	stack_id now_stack; /* where the thread was seen at now_at, if that is still so; 0: not looked */
	nsec_t now_at;
	/* From the kernel, where somebody asked it (snapshot users fill them in). */
	char kernel_state; /* R S D T Z ..., 0: not asked */
	uint64_t cpu_ns;
	uint64_t kernel_sp; /* its stack pointer in the system call that it stands in; 0: not asked */
	bool wait_unclear;  /* who keeps it from a file lock can't be told: no edge */
	int32_t wait_pid;   /* another process that has the file lock that it waits for; 0: none known */
	bool
	    waits_for_one; /* of several descriptors it could wait for, it does for one: which is not recorded */
	bool wait_behind; /* a reader, and the lock says of itself that waiting writers go first */
	/*
	 * Asleep in the condition that it waits for, so nobody had signalled it: at two moments, between which
	 * there was one at which all threads were asleep of which this is said.
	 */
	bool wait_asleep;
	thread_id wait_owner; /* who has what it waits for, as libc's own word there says; 0: unknown */
};

struct snapshot {
	const struct view *view;
	nsec_t now;
	struct snap_thread *threads; /* by id, ascending; without free slots */
	uint32_t thread_count;
	struct rec_hold *resources; /* iterators and other paired resources that are open */
	uint32_t resource_count;
	uint64_t live_bytes, live_blocks, total_bytes, total_blocks, peak_bytes;
	bool incomplete; /* memory ran out: something is missing */
	/*
	 * No thread of the process can run again unless another one wakes it, and no signal will do
	 * anything: since when (0: that is not so, or nobody asked the kernel), and what stays the same as
	 * long as none of them has run. Snapshot users fill them in.
	 */
	nsec_t asleep_since;
	uint64_t asleep_witness;
	/* What of the locks on stacks was taken out that nobody has, by their own words. Snapshot users fill it in. */
	bool stack_locks_known;
};

/*
 * Fills `ret_snapshot` from `view`. `now` is CLOCK_MONOTONIC at this moment, or for a dead
 * process the moment of its end. What the snapshot points to belongs to `arena`.
 *
 * Context: reporter. Cost: a copy of each live slot; no lock.
 */
void snapshot_take(const struct view *view, nsec_t now, struct arena *arena, struct snapshot *ret_snapshot);

/*
 * Nothing could run from `from` to `to` (the process was stopped, or starved of processor time):
 * that time counts for no age. What began before it began later by that much, as far as the
 * snapshot says; what began in it began at its end. Context: reporter.
 */
void snapshot_discount(struct snapshot *snapshot, nsec_t from, nsec_t to);

/* The thread with that id / kernel tid / pthread_t; NULL: none. */
struct snap_thread *snapshot_thread(const struct snapshot *snapshot, thread_id id);
struct snap_thread *snapshot_thread_by_tid(const struct snapshot *snapshot, int32_t tid);

#endif
