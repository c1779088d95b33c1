/*
 * The recording: a memory-mapped file, one a process, that holds everything the
 * shim knows. The target writes it in place; anybody may read it at any moment,
 * also after the target was killed. This header is its documentation.
 *
 *      0 ┌──────────────────────────┐
 *        │ struct rec_header        │  who, when, how it ended, where the tables are
 *   4096 ├──────────────────────────┤
 *        │ table REC_THREADS        │  each table owns a range of the file and
 *        │ table REC_STACKS         │  grows inside it; the file is sparse, what a
 *        │ ...                      │  table has not grown to takes no space
 *        └──────────────────────────┘
 *
 * Space is reserved before it is written (rec_table.reserved), so that a full
 * file system is an error code in the shim and never a SIGBUS in its host.
 *
 * Byte order and sizes are the machine's. A reader refuses another version.
 *
 * Who writes what:
 *   - a thread's slot is written by that thread alone, under its sequence lock
 *     (`changes` is odd while it writes what can be seen). Two exceptions: `state` of a hold may be
 *     set to HOLD_GONE by another thread (a foreign unlock), and the fields under
 *     "others" belong to the threads named there.
 *   - stacks, sites, strings, modules and alerts are append-only: an entry is
 *     complete before `used` covers it, and never moves or changes again, save for
 *     counters.
 *   - cells are written by the thread that owns their block, with plain stores.
 *   - resources, misuses and the sights of edges are written under a lock of the registry's.
 *
 * A process that dies in the middle of a write leaves one entry half-written;
 * readers check ranges and never trust a number found here.
 */
#ifndef WH_REGISTRY_FORMAT_H
#define WH_REGISTRY_FORMAT_H

#include <stdatomic.h>

#include "base/types.h"
#include "registry/format_locks.h"
#include "registry/format_time.h"

#define REC_MAGIC UINT64_C(0x31444c4f484f4857) /* "WHOHOLD1" */
#define REC_VERSION 22u
#define REC_HEADER_BYTES 4096u
#define REC_SUFFIX ".whr"
#define REC_HIDDEN_SUFFIX ".exec" /* behind ".PID": has nothing to report, while its process executes */

enum rec_table_id {
	REC_THREADS,
	REC_STACKS,
	REC_SITES,
	REC_CELLS,
	REC_RESOURCES,
	REC_OBJECTS,
	REC_MODULES,
	REC_STRINGS,
	REC_ALERTS,
	REC_SERIES,
	REC_LINEAGE,
	REC_LOCKS,
	REC_EDGES,
	REC_MISUSES,
	REC_GROWTH,
	REC_ARENAS,
	REC_USES,
	REC_USE_CELLS,
	REC_WHY,
	REC_ITERATIONS,
	REC_SPANS,
	REC_PLACES,
	REC_SIGNALS,
	REC_TABLES,
};

struct rec_table {
	uint64_t offset;           /* from the start of the file, bytes */
	uint64_t capacity;         /* bytes of the range */
	_Atomic uint64_t reserved; /* bytes from `offset` that may be written */
	_Atomic uint64_t used;     /* bytes from `offset` that mean something */
	_Atomic uint64_t lost;     /* entries that found no room */
};

enum rec_state {
	REC_RUNNING = 1, /* or killed: ask the kernel */
	REC_EXITED = 2,  /* came to its end; exit_code is set where it is known */
	REC_EXECED = 3,  /* replaced itself by another program */
	REC_ABORTED = 4, /* called abort */
};

enum rec_flag {
	REC_PRIVATE = 1, /* not a file: another process can read it through /proc/PID/mem alone */
	REC_KEEP = 2,    /* leave the file behind even where there is nothing to report */
	REC_REPORTER_RUNS = 4,
	REC_FINAL_DONE = 8, /* the detectors of the end have run; their findings are in REC_ALERTS */
	REC_ALLOC_SAMPLED = 16,
	REC_ALLOC_OFF = 32,
	REC_LOCKS_OFF = 64,
	REC_EXITING = 128, /* it ends by itself, by exit or a return from main, with whatever status */
};

/* What was given up, and why; a bit each in rec_header.degraded. */
enum rec_degraded {
	REC_NO_FILE = 1,   /* no directory for recordings: a private one */
	REC_NO_PTRACE = 2, /* registers of other threads unread in the leak scan */
	REC_NO_FORK = 4,   /* no image to scan */
	REC_SCAN_TIMEOUT = 8,
	REC_TABLE_FULL = 16,      /* see `lost` of the tables */
	REC_NO_REPORTER = 32,     /* no reporter thread could be started */
	REC_SANITIZER = 64,       /* the program brings its own sanitizer: nothing is tracked */
	REC_MEMORY_LIMIT = 128,   /* max_memory reached: allocations are sampled */
	REC_NO_SCAN = 256,        /* the leak scan lacked memory or /proc: leaks unjudged */
	REC_OVERHEAD_LIMIT = 512, /* max_overhead reached: allocations are sampled */
	REC_OTHERS_MALLOC = 1024, /* somebody who comes before us defines malloc */
};

/* The search for lost memory while the program runs: who asked for it, and what the newest one came to. */
struct rec_scan {
	_Atomic uint32_t wanted; /* requests so far; written by commands */
	_Atomic uint32_t begun;  /* as many of them have been begun with */
	_Atomic uint32_t done;   /* as many of them have been answered; the rest is of the newest answer */
	int32_t error;           /* 0, or -errno: it came to no result */
	uint32_t degraded;       /* enum rec_degraded: what it did without */
	uint32_t images;         /* of the process that were looked at: 1 where nothing was suspect in it */
	nsec_t pause;     /* how long threads were held still, the longest time; what `fork` took included */
	nsec_t fork;      /* in that one */
	nsec_t took, cpu; /* from beginning to end; processor time */
	uint64_t blocks, bytes; /* live ones */
	uint64_t read_bytes;    /* that were looked at for pointers */
	uint64_t memory; /* bytes that an image took beside what it shared with the process; the most */
};

/* A question why something is still alive, and how far the process is with it; the answer is in REC_WHY. */
enum rec_why_what { WHY_OF_ADDRESS = 1, WHY_OF_SITE = 2 };

struct rec_why_request {
	_Atomic uint32_t wanted; /* requests so far; written by commands, after the next two */
	uint32_t what;           /* enum rec_why_what */
	uint64_t value;          /* an address, or the stack_id of a site */
	_Atomic uint32_t begun,
	    done; /* as many have been begun with, answered; written by the reporter thread */
};

struct rec_header {
	uint64_t magic;
	uint32_t version;
	uint32_t header_bytes;
	struct rec_table tables[REC_TABLES];

	int32_t pid, ppid;           /* as the process itself sees them */
	uint64_t started_boot_ticks; /* field 22 of /proc/PID/stat: pid and this name one process for ever */
	nsec_t started_mono;         /* CLOCK_MONOTONIC */
	uint64_t started_real;       /* CLOCK_REALTIME, nanoseconds */
	uint32_t uid;
	text_id exe, host, cwd;
	text_id argv; /* arguments, a NUL behind each; argv_bytes in all */
	uint32_t argv_bytes;
	text_id run;          /* the run that this process belongs to (see WHOHOLDS_RUN); 0: none */
	text_id options;      /* the options in force, key=value separated by ':' */
	uint64_t fork_parent; /* pid of the process this one was forked from, 0: started by exec */

	_Atomic uint32_t state;    /* enum rec_state */
	_Atomic uint32_t flags;    /* enum rec_flag */
	_Atomic uint32_t degraded; /* enum rec_degraded */
	int32_t exit_code;
	nsec_t ended_mono;
	_Atomic uint64_t tick_mono; /* when the reporter thread last looked; 0: never */
	_Atomic uint64_t ticks;
	_Atomic uint32_t epoch; /* goes up when modules are unloaded; see rec_stack */
	_Atomic uint32_t era;   /* goes up at each tick and at each wh_now: a clock that costs a load */
	_Atomic uint32_t threads_started;
	_Atomic uint32_t order_news;     /* goes up with each edge and sight in REC_EDGES */
	_Atomic uint32_t spans;          /* begun so far */
	_Atomic uint32_t iteration_part; /* of rec_iteration.parts: the one that is counted in; goes up */
	_Atomic uint32_t misuse_news;    /* goes up with each entry of REC_MISUSES */
	_Atomic uint64_t tracker_bytes;  /* private memory of the tracker itself */
	_Atomic uint32_t alerts;         /* findings appended to REC_ALERTS so far; a futex word */
	_Atomic int32_t watcher_pid;     /* a command that renders this recording's alerts; 0: none */
	_Atomic uint64_t watcher_ticks;  /* its started_boot_ticks */
	_Atomic uint32_t requests;      /* reports that the program has asked for (wh_report); a futex word */
	_Atomic uint32_t requests_told; /* those of them that were written; likewise */
	_Atomic text_id request_why;    /* of the newest */
	text_id unbound; /* names of functions in configured pairs that nothing was found to call; 0: none */
	uint64_t sample_bytes;
	uint64_t shim_start, shim_end; /* our own module's range */
	uint64_t limits_blocked, limits_held, limits_iterating,
	    limits_idle;        /* thresholds in force, ns; 0: off */
	uint64_t verify_stacks; /* one stack in so many was compared with libunwind's; 0: none */
	_Atomic uint64_t stacks_compared, stacks_mismatched, stacks_lost;
	uint64_t pid_namespace; /* inode of /proc/self/ns/pid: where `pid` means something; 0: unknown */
	/*
	 * Written on hot paths now and then; far enough from `epoch` and `era`, which are read there, that the two
	 * are never in one cache line.
	 */
	_Atomic uint64_t dropped_events; /* events in places where nothing may be recorded */
	_Atomic uint64_t truncated_stacks;
	_Atomic uint64_t live_bytes, live_blocks;   /* flushed by each thread now and then; the */
	_Atomic uint64_t total_bytes, total_blocks; /* rest is in the slots' counters */
	_Atomic uint64_t peak_bytes;
	_Atomic uint32_t poke; /* goes up when the reporter thread is to look now; a futex word */
	uint32_t spare;
	/*
	 * By what a stack that goes back to its thread's first frame is known, so that it is the thread's own and not a
	 * coroutine's: where the program is entered, and return addresses into libc's function that calls start routines,
	 * of pthread_create and thrd_create; 0: unknown, or no thread made yet.
	 */
	uint64_t entry;
	_Atomic uint64_t thread_roots[2];
	uint64_t main_stack_high; /* where the first thread's stack ends, upwards; 0: unknown */
	struct rec_scan scan;
	struct rec_why_request why;
};

/* -- holds and waits ------------------------------------------------------- */

enum hold_state {
	HOLD_FREE,
	HOLD_LIVE,
	HOLD_PARKED, /* a mutex given up for the time of a condition wait */
	HOLD_GONE,   /* released by another thread; the owner clears it */
};

/*
 * HOLD_AGAIN: acquired once more while it was open, so how often it is to be released is not known.
 * HOLD_IN_BLOCK: its handle was a block of the allocator's, made at the site in the bits from 8 on; once that is freed it is over.
 * HOLD_BY_MEMORY: lost only where its memory is. HOLD_BY_NUMBER: its handle is a number, which lies in no block.
 * HOLD_PLACED: a mapping that need not be pointed to: the program has said where it is to be, so it can say so again.
 * HOLD_BY_END: a mapping for a stack, which may be known by its end alone.
 */
enum hold_flag {
	HOLD_AGAIN = 1,
	HOLD_IN_BLOCK = 2,
	HOLD_BY_MEMORY = 4,
	HOLD_BY_NUMBER = 8,
	HOLD_PLACED = 16,
	HOLD_BY_END = 32,
};

struct rec_hold {
	uint64_t handle; /* address or descriptor; unique within the kind while held */
	nsec_t since;    /* CLOCK_MONOTONIC, of the tick before (registry/clock.h) */
	union {
		uint64_t container; /* of an iterator: what it iterates over; 0: unknown */
		uint64_t bytes;     /* of a kind that is SIZED, and has no container */
	};
	text_id sort; /* of an annotated resource: what kind of thing the program says it is; 0: it is none */
	uint32_t flags;  /* enum hold_flag */
	stack_id stack;  /* where it was taken; 0: capture failed */
	uint32_t count;  /* depth of a recursive lock, else 1 */
	thread_id owner; /* who took it */
	text_id name;    /* what the program calls it, 0: unnamed */
	uint32_t serial; /* counts the owner's holds: tells two holds of one lock apart */
	uint16_t op;     /* enum op */
	uint8_t kind;    /* enum kind */
	uint8_t mode;    /* enum mode */
	union {
		/* Both at once, for the hot path: HOLD_LIVE where it is not timed. */
		_Atomic uint16_t state_word;
		struct {
			_Atomic uint8_t state; /* enum hold_state */
			uint8_t timed;         /* `since` is the moment itself: its taker had waited for it */
		};
	};
	union {
		uint16_t descriptor; /* of a file lock, and of nothing else: which it was taken with */
		uint16_t
		    span; /* of what iterates: its place in REC_SPANS, from 1; 0: it is none of the sample */
	};
	uint32_t era; /* of the process, when it was taken */
};

/* In place of a descriptor: several of them, or one that only the program's own memory tells. */
#define WAIT_SEVERAL (UINT64_C(1) << 63)
#define WAIT_FOR_ONE UINT64_C(1)

struct rec_wait {
	uint64_t handle;  /* address, descriptor (or WAIT_SEVERAL) or pid; 0: nothing in particular */
	uint64_t handle2; /* of a condition wait: the mutex; of a wait for a file lock: the descriptor */
	nsec_t since;
	uint64_t sp; /* of the hook's caller; what lies above it is the thread's live stack */
	stack_id stack;
	thread_id target; /* of a join: the thread joined */
	uint32_t serial;  /* counts the thread's waits */
	uint16_t op;      /* enum op */
	uint8_t kind;     /* enum kind; KIND_NONE: not waiting */
	uint8_t mode;     /* enum mode */
	uint8_t timed;    /* gives up by itself at some time */
	uint8_t kept;     /* what the program had in registers lies in the hook's frame: see hook_keep */
	uint8_t spare[6];
};

/* -- threads --------------------------------------------------------------- */

#define REC_SLOT_BYTES 4096u
#define REC_SLOT_HOLDS 48u
#define REC_SLOT_WAITS 4u
#define REC_NAME_BYTES 16u /* the kernel's limit, NUL included */

enum thread_state {
	THREAD_FREE,
	THREAD_STARTING, /* pthread_create called, the start routine not yet */
	THREAD_RUNNING,
	THREAD_ENDED, /* not joined yet, or ended with something held */
};

enum thread_flag {
	THREAD_DETACHED = 1,
	THREAD_JOINED = 2,
	THREAD_FOREIGN = 4, /* not made by a pthread_create that the shim saw */
	THREAD_MAIN = 8,
	THREAD_CANCELLED = 16,
	THREAD_MADE_DETACHED = 128,
	THREAD_STACK_GIVEN = 32, /* the program gave the memory */
	THREAD_STACK_CLEAN = 64, /* nothing was in the deepest part of it when the thread began */
	THREAD_HELD_MANY = 256,  /* has held more than its slot has room for: some may be elsewhere */
	THREAD_STACK_SPLIT =
	    512, /* handlers of signals run on a piece of it: what lies below them may be in use */
};

struct rec_thread {
	/*
	 * How much of the slot means something, and how often that has changed. The three lie in one word,
	 * so that a lock's hot path prepares an entry that nobody looks at yet and shows it with one store.
	 */
	union {
		_Atomic uint64_t word;
		struct {
			uint16_t hold_count; /* entries of `holds` in use, HOLD_GONE ones included */
			uint16_t
			    wait_depth; /* waits nest where a signal handler or a callback waits in its turn */
			_Atomic uint32_t changes; /* sequence lock; odd: being written */
		};
	};
	_Atomic uint32_t state; /* enum thread_state */
	thread_id id;
	_Atomic int32_t tid;    /* the kernel's */
	_Atomic uint32_t flags; /* enum thread_flag; others: whoever joins or detaches */
	thread_id creator;
	stack_id created_stack;
	uint32_t holds_lost;         /* holds that found no room */
	uint32_t serial;             /* of the newest hold or wait */
	_Atomic uint32_t now_stack;  /* others: the reporter's last look at this thread's stack ... */
	_Atomic uint32_t now_serial; /* ... and the `changes` that it belongs to */
	uint64_t pthread;            /* pthread_t */
	uint64_t start_routine;
	uint64_t argument; /* of the start routine; a root while THREAD_STARTING */
	nsec_t started, ended;
	uint64_t stack_low, stack_high; /* bounds, 0: unknown */
	uint64_t stack_bytes;           /* as it was asked for; 0: unknown */
	uint64_t tls;                   /* thread pointer */
	_Atomic uint64_t made, freed;   /* amounts not yet flushed */
	_Atomic uint64_t now_mono;      /* others: when the reporter looked */
	char name[REC_NAME_BYTES];
	struct rec_wait waits[REC_SLOT_WAITS];
	_Alignas(64) struct rec_hold holds[REC_SLOT_HOLDS];
};

/* -- stacks ---------------------------------------------------------------- */

enum stack_flag {
	STACK_TRUNCATED = 1, /* unwinding stopped before the outermost frame, or `depth` was reached */
	STACK_EXACT_PC = 2,  /* frames[0] is the interrupted instruction, not a return address */
};

/*
 * Identified by its offset in the table divided by 8 (so 0 is never used: the
 * first 64 bytes are left out). Frames are innermost first; every one but
 * perhaps the first is a return address.
 */
struct rec_stack {
	uint64_t hash;
	stack_id next;        /* in the bucket of the depot; private to it */
	uint32_t epoch;       /* of the modules, when the stack was captured */
	_Atomic site_id site; /* its allocation counters; 0: none */
	uint16_t count;       /* frames */
	uint16_t flags;       /* enum stack_flag */
	uint64_t frames[];
};

/* -- allocations ----------------------------------------------------------- */

/*
 * An amount is bytes and blocks in one word, so that one addition changes both and one load reads
 * them as they belong together: bytes in the low 40 bits, blocks above.
 */
#define AMOUNT_BLOCK ((uint64_t)1 << 40)

static inline uint64_t amount_bytes(uint64_t amount)
{
	return amount & (AMOUNT_BLOCK - 1);
}

static inline uint64_t amount_blocks(uint64_t amount)
{
	return amount >> 40;
}

/* Identified by its index; 0 is never used. */
struct rec_site {
	stack_id stack;
	uint32_t spare;
	_Atomic uint64_t live_bytes, live_blocks;
	_Atomic uint64_t total_bytes, total_blocks;
	_Atomic uint64_t peak_bytes;
	uint64_t spare2[2];
};

/*
 * What a thread has counted and not yet added to the sites: a thread that allocates owns a block of
 * cells, where site S has the one at S % REC_CELLS_EACH, or none while another site is there. So threads don't
 * share a cache line, and readers add every block's cell to the site's own counters (view_site_counts).
 */
#define REC_CELLS_EACH 512u

struct rec_cell {
	_Atomic uint64_t made, freed; /* amounts */
	_Atomic uint64_t peak;        /* the most bytes that `made` was ahead of `freed` */
	_Atomic site_id site;         /* 0: the cell's amounts don't count */
	uint32_t spare;
};

/* Who freed a block: the return address of the call. At a place that the address gives, until another comes there. */
struct rec_freed {
	_Atomic uint64_t address; /* 0: nothing yet */
	_Atomic uint64_t caller;
};

#define REC_FREED_EACH 32u

struct rec_cells {
	_Atomic uint32_t owned; /* 0: free, all cells are zero */
	thread_id owner;
	uint64_t spare[7];
	struct rec_cell cells[REC_CELLS_EACH];
	struct rec_freed freed[REC_FREED_EACH]; /* by the owner, lately: registry/freed.h */
};

/* -- objects --------------------------------------------------------------- */

/* What is known of an object beyond its address: made by init calls and by wh_name. */
struct rec_object {
	uint64_t address;
	nsec_t created;
	stack_id created_stack;
	text_id name;
	uint32_t value; /* barrier: threads it waits for; semaphore: initial value */
	uint8_t kind;
	uint8_t state;       /* 0 free, 1 live */
	uint16_t attributes; /* enum object_attribute */
};

enum object_attribute {
	OBJECT_RECURSIVE = 1,
	OBJECT_ERRORCHECK = 2,
	OBJECT_ROBUST = 4,
	OBJECT_SHARED = 8, /* between processes */
	OBJECT_PREFER_WRITER = 16,
	OBJECT_POSTED_BY_TAKER =
	    32, /* a semaphore: given back by a thread that had taken it, as a lock is ... */
	OBJECT_POSTED_BY_OTHER = 64, /* ... or posted by one that had not */
};

/* -- misuse ------------------------------------------------------------------ */

#define REC_MISUSE_PARTS 3u

/* One of the moments that a misuse is made of; which one it is, registry/misuses.def says. */
struct rec_misuse_part {
	nsec_t at; /* CLOCK_MONOTONIC; 0: unknown */
	stack_id stack;
	thread_id thread;
	text_id thread_name; /* then: its slot may be somebody else's by now */
	uint32_t serial;     /* of the hold in its thread; 0: it is none */
	uint16_t op;         /* enum op */
	uint8_t mode;        /* enum mode */
	uint8_t object_kind; /* enum kind; KIND_NONE: the object is that of the whole */
	uint32_t place; /* of its object, in the first part of that of the whole (REC_PLACES); 0: not known */
	uint64_t handle; /* of object_kind */
};

/* What a hook caught on the spot, with the first such event's particulars. One a kind and stacks. */
struct rec_misuse {
	_Atomic uint32_t count; /* times it happened; 0: being written */
	uint8_t kind;           /* enum misuse_kind */
	uint8_t object_kind;    /* enum kind */
	uint16_t flags;         /* the kind's own */
	uint64_t handle;
	uint64_t amount; /* bytes, or what the kind counts */
	text_id name;    /* of the object; 0: none */
	int32_t offset;  /* of where it hit, from the start of the block */
	struct rec_misuse_part parts[REC_MISUSE_PARTS];
};

/* -- modules --------------------------------------------------------------- */

#define REC_BUILD_ID_BYTES 20u

/*
 * An ELF file that is or was mapped. A stack captured in epoch E is looked up
 * among those with loaded <= E and (unloaded == 0 or E < unloaded).
 */
struct rec_module {
	uint64_t start, end;               /* mapped range */
	uint64_t bias;                     /* run-time address minus the file's own */
	_Atomic uint32_t loaded, unloaded; /* epochs */
	text_id path;
	uint32_t build_id_bytes;
	uint8_t build_id[REC_BUILD_ID_BYTES];
	uint32_t flags;
	/* The loader's number of its thread-local storage; 0: it has none, or it is not known yet. */
	_Atomic uint32_t storage;
	uint32_t spare;
	uint64_t spare2;
};

enum module_flag { MODULE_SHIM = 1, MODULE_LOADER = 2, MODULE_LIBC = 4, MODULE_MAIN = 8 };

/* -- why something is alive ------------------------------------------------ */

enum rec_root {
	ROOT_NONE,     /* the step is a word in a block */
	ROOT_DATA,     /* in a module's data: a global, a static variable */
	ROOT_STACK,    /* of a thread */
	ROOT_TLS,      /* a thread-local variable */
	ROOT_SPECIFIC, /* a thread-specific value (pthread_setspecific) */
	ROOT_REGISTER, /* of a thread, or libc's way of keeping it: not in memory of the program's */
	ROOT_MAPPING,  /* memory that the program has mapped itself, or shares */
	ROOT_LOADER,   /* a block that the loader or libc made for itself: thread-local storage, mostly */
};

/* One word that leads on: to the block of the next step, or of the path. */
struct rec_why_step {
	uint64_t place;        /* where the word is; 0: in no memory, or not known */
	uint64_t block, bytes; /* ROOT_NONE, ROOT_LOADER: the block that it is in */
	stack_id stack;        /* where that block was allocated; ROOT_STACK: the stack of the thread */
	thread_id thread;      /* whose stack, register or variable it is */
	uint32_t root;         /* enum rec_root */
	uint32_t
	    frame; /* ROOT_STACK: which frame of `stack` the word lies in, from 1, the innermost; 0: not known */
};

#define REC_WHY_STEPS 24u
#define REC_WHY_PATHS 3u

struct rec_why_path {
	uint64_t block, bytes;
	stack_id stack;                           /* where it was allocated */
	uint32_t thread;                          /* thread_id, its low 20 bits */
	uint64_t retained_bytes, retained_blocks; /* what nothing would lead to without it, itself included */
	uint32_t lost;                            /* nothing leads to it as it is; there are no steps */
	uint32_t length;                          /* steps, also those that are left out ... */
	uint32_t step_count, skipped_at; /* ... between steps[skipped_at - 1] and steps[skipped_at] */
	struct rec_why_step steps[REC_WHY_STEPS]; /* the root first */
};

/* The newest answer; the reporter thread alone writes it, between rec_header.why.begun and .done. One entry. */
struct rec_why {
	uint32_t number; /* of the request */
	int32_t error;   /* 0, or -errno: -ENOENT: no live block there, or none of that site */
	uint32_t what;
	uint32_t degraded; /* enum rec_degraded: what it did without */
	uint64_t value;
	uint64_t blocks, bytes;           /* live ones, in all */
	uint64_t site_blocks, site_bytes; /* WHY_OF_SITE: of that site, and what would go with them: */
	uint64_t retained_blocks, retained_bytes;
	nsec_t pause, took, cpu;
	uint32_t path_count;
	uint32_t spare;
	struct rec_why_path paths[REC_WHY_PATHS];
};

/*
 * REC_ALERTS is a log of `struct finding` (reporter/finding.h), each padded to
 * 8 bytes and beginning with its own size. REC_STRINGS holds NUL-terminated
 * strings, named by their offset; the first byte is NUL, so 0 is the empty one.
 */

_Static_assert(sizeof(struct rec_header) <= REC_HEADER_BYTES, "the header is one page");
_Static_assert(sizeof(struct rec_hold) == 64, "a cache line a hold");
_Static_assert(sizeof(struct rec_site) == 64, "a cache line a site");
_Static_assert(sizeof(struct rec_cell) == 32, "two to a cache line");
_Static_assert(sizeof(struct rec_cells) % 64 == 0, "cells begin and end with a cache line");
_Static_assert(sizeof(struct rec_thread) <= REC_SLOT_BYTES, "a page a thread");
_Static_assert(sizeof(struct rec_stack) == 24, "frames follow");

#endif
