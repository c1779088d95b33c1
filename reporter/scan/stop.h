/*
 * Holding the other threads still while their memory is looked at, and reading
 * their registers, in which the only pointer to a block may lie.
 *
 * A process can't trace its own threads. So a process is cloned that shares our
 * memory (the tracer), but no descriptors, and that seizes them:
 *
 *   caller ── clone ──▶ tracer ── seize, interrupt ──▶ every other thread
 *          ◀── held ──          (lists the threads again until there is no new one)
 *     scan
 *          ── let go ─▶         ── detach ──▶ they run on
 *          ◀─ reaped ──
 *
 * Who sleeps is not even interrupted where what it has in registers is known (asleep.h): it is spared, and looked after again when
 * the others stand. If it has run by then it is stopped too; if it runs after that, the caller is told.
 *
 * No thread is left standing: if the tracer dies the kernel lets go of all of
 * them, and the tracer dies with the caller. A signal that was just being delivered
 * to a thread is delivered when it is let go. All or nothing: where one thread can't
 * be held (a debugger has it, Yama or a seccomp filter says no, it sleeps
 * uninterruptibly, or in the midst of writing to somebody who does not read: it would come to know), all are
 * let go and the caller must judge with less.
 *
 * A thread inside of the allocator is let run on until it is out of it, since a
 * block that is being moved by realloc is known to nobody at that moment.
 *
 * Signals of the caller are blocked from stop_begin to stop_end: a handler could
 * wait for a thread that stands still. Context: reporter, hook at the end of a process.
 */
#ifndef WH_REPORTER_SCAN_STOP_H
#define WH_REPORTER_SCAN_STOP_H

#include "base/types.h"

struct stop_thread {
	int32_t tid;
	int32_t state;  /* private */
	int32_t signal; /* was about to be delivered; 0: none */
	uint32_t words; /* of its registers that mean something; 0: it has ended */
	uint64_t sp;
	uint64_t pointer; /* thread pointer; 0: none */
	bool busy;        /* inside the allocator, and did not come out of it in time */
	bool asleep;      /* when it was seized */
	uint64_t turns;   /* of one that is spared, see task_turns */
};

/* Room for the registers of one thread: 27 general ones, and the extended state with AVX-512 and AMX. */
#define STOP_WORDS ((uint64_t)1536)

struct stop;

/*
 * Whether that thread sleeps, and what it has in its registers (STOP_WORDS at the most) is known: fills them in, and in `thread`
 * `words`, `sp` and `pointer`. Shares memory with the program and has raw system calls alone.
 */
typedef bool stop_knows(struct stop *stop, struct stop_thread *thread, uint64_t *ret_words);

struct stop {
	struct stop_thread *threads; /* those that are held or spared */
	uint64_t count;
	uint64_t spared;
	uint64_t *registers; /* STOP_WORDS for each of them */
	nsec_t from, to;     /* between which none or only some of them ran; `to` after stop_end */
	bool slept;          /* after stop_while: none of the spared ones has run meanwhile */
	int tasks_fd;        /* for stop_knows: the tracer's */
	uint32_t slot;       /* for stop_knows to use: 0 at first */
	/* private */
	uint64_t room;
	uint64_t signals; /* mask of the caller before */
	bool (*is_busy)(uint64_t thread_pointer);
	void (*while_held)(void *data); /* NULL: the caller does what is to be done */
	void *data;
	stop_knows *knows;
	nsec_t limit, deadline;
	void *stack;
	int error;
	unsigned long files;             /* how the tracer was cloned: see files_part */
	int32_t process, caller, tracer; /* ids */
	uint32_t tracer_alive;           /* cleared by the kernel */
	uint32_t phase;
	bool undumpable;
};

/*
 * Holds every thread of this process but the calling one. `is_busy` tells from a thread's pointer
 * whether it is inside of the allocator, `knows` who need not be stopped; both may be NULL. Gives up after `limit`.
 * Return: 0, and stop_end must be called; or -errno, and nothing is held.
 */
int stop_begin(struct stop *stop, nsec_t limit, bool (*is_busy)(uint64_t thread_pointer), stop_knows *knows);
/* Whether none of those that were spared has run so far. */
bool stop_slept(const struct stop *stop);
/* Whether the threads still stand: the tracer may have been killed. */
bool stop_holds(const struct stop *stop);
void stop_end(struct stop *stop);

/*
 * The same in one go, for what is to be over soon: calls `run(data)` while they are held, in the tracer, which shares memory
 * and thread-local storage with the caller, who sleeps. `stop` holds what was read of them, but they run. Return: as
 * stop_begin; after 0 stop_release must be called.
 */
int stop_while(struct stop *stop, nsec_t limit, void (*run)(void *data), void *data, stop_knows *knows);
void stop_release(struct stop *stop);

#endif
