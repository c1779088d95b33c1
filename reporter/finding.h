/*
 * A finding is one thing that is wrong: its kind, and items, each of which says
 * what one thread has to do with it: waits here, took this there, is here now.
 *
 * A finding is flat, without pointers: the same bytes go from a detector into
 * the recording's log of alerts (REC_ALERTS) and from there to a writer, in
 * another process or after a crash. Stacks, names and objects are numbers into
 * the recording that the finding came from.
 */
#ifndef WH_REPORTER_FINDING_H
#define WH_REPORTER_FINDING_H

#include "base/arena.h"
#include "registry/snapshot.h"

enum finding_kind {
#define FINDING(id, name, severity, words) FINDING_##id,
#include "reporter/findings.def"
	FINDING_COUNT
};

enum severity { SEVERITY_INFO, SEVERITY_WARNING, SEVERITY_ERROR };

enum role {
#define ROLE(id, name) ROLE_##id,
#include "reporter/roles.def"
	ROLE_COUNT
};

/* How the stack of an item was come by; readers are told where it is not ROLE's own moment. */
enum stack_source { STACK_RECORDED, STACK_LOOKED_UP, STACK_UNKNOWN_RUNNING };

struct finding_item {
	uint8_t role;        /* enum role */
	uint8_t object_kind; /* enum kind; KIND_NONE: the item is of no object */
	uint8_t mode;        /* enum mode */
	uint8_t source;      /* enum stack_source */
	uint16_t op;         /* enum op */
	uint16_t flags;      /* enum item_flag */
	thread_id thread;    /* whose stack it is; 0: nobody's */
	thread_id other;     /* the thread that this one waits for, where it is one; 0: none */
	stack_id stack;      /* 0: none was captured */
	text_id name;        /* of the object, from the program; 0: none */
	uint32_t count;      /* depth of the hold; waiters folded into this item; 0 and 1: one */
	union {
		uint64_t handle; /* of the object; 0: none */
		/* Of roles that are of no object: */
		uint64_t least; /* kept: bytes live at the least in that window */
		uint64_t used;  /* arena: bytes allocated in it */
	};
	nsec_t since;                     /* CLOCK_MONOTONIC; 0: unknown */
	uint64_t amount;                  /* bytes, where the role has any */
	char thread_name[REC_NAME_BYTES]; /* as it was then: the slot may be somebody else's by now */
	int32_t tid;
	int32_t pid;    /* of a wait for a file lock: another process that has it; 0: none known */
	uint32_t place; /* where the object lies (view_place); 0: not known */
	uint32_t
	    serial; /* of the hold or wait in its thread: tells two of one lock apart; of an arena: 0 is the main one */
};

enum item_flag {
	ITEM_TIMED = 1,   /* this wait gives up by itself */
	ITEM_ENDED = 2,   /* the thread has ended */
	ITEM_SUBJECT = 4, /* the item that the headline is about */
	ITEM_OF_SEVERAL_NAMES =
	    8, /* it counts things that the program calls differently; `name` is that of one */
};

enum finding_flag {
	FOUND_CYCLE = 1, /* leak: a ring; deadlock: always */
	FOUND_OVER = 2,  /* the incident that `key` names has ended, at `over` */
	FOUND_AT_EXIT = 4,
	FOUND_DEGRADED = 8,         /* judged without something (see rec_degraded) */
	FOUND_STARVED_WRITER = 16,  /* stuck-holder, long-hold: readers keep a writer out */
	FOUND_UPDATE = 32,          /* the incident `key` was reported before; this is a fuller account */
	FOUND_NESTED_MONITOR = 128, /* waits to be signalled, and holds a lock that others need */
	FOUND_ASLEEP =
	    64, /* all of the process waits and nobody is left to wake it: as a deadlock, no ring */
	FOUND_ON_REQUEST = 256, /* somebody asked, and is told; nobody else is */
	FOUND_INTERIOR = 512,   /* possible-leak: pointers into the middle keep it alive */
	FOUND_ALIKE = 2048,     /* leak: `count` of its item are places whose stacks begin alike */
	FOUND_FOR_LIFE = 1024,  /* held-at-exit: from the start on, and nobody else ever wanted it */
};

/* What alone keeps a ghost: its finding's `sort`. */
enum finding_keeper { KEPT_BY_KEYS = 1, KEPT_BY_HANDLERS };
/* Whether it is known what the program maps itself: an rss-growth's `sort`. */
enum finding_mappings { MAPPINGS_RECORDED, MAPPINGS_UNRECORDED };

struct finding {
	uint32_t bytes;           /* of this record with its items, a multiple of 8 */
	uint16_t kind;            /* enum finding_kind */
	uint8_t severity;         /* enum severity, as it came out (a degraded leak is a warning) */
	uint8_t sort;             /* of misuse: what its kind distinguishes (registry/misuse.h) */
	uint32_t flags;           /* enum finding_flag */
	uint32_t number;          /* position among the process's findings, from 1; set by the log */
	uint64_t key;             /* the same for the same incident in the same process */
	uint64_t witness;         /* unchanged between two looks = nothing moved in between */
	nsec_t at;                /* when it was found */
	nsec_t since;             /* when the trouble began; 0: unknown */
	nsec_t over;              /* when it ended; 0: it lasts, or was never a state */
	nsec_t limit;             /* the threshold that tripped; 0: none */
	uint64_t amount;          /* bytes */
	uint64_t count;           /* blocks, iterators, threads: what the kind counts */
	uint64_t indirect;        /* leak: bytes reachable through the lost ones alone */
	uint64_t rate;            /* heap-growth: bytes a second */
	int64_t offset;           /* of misuse: bytes from the start of the block */
	nsec_t p50, p99, longest; /* iteration-slow: how long the iterations of the site took, all of them */
	thread_id thread;         /* the subject; 0: none */
	uint32_t item_count;
	struct finding_item items[];
};

#define FINDING_MAX_ITEMS 512u
#define FINDING_MAX_BYTES (sizeof(struct finding) + FINDING_MAX_ITEMS * sizeof(struct finding_item))

/* Names and traits by number, tolerant of nonsense. Context: signal. */
const char *finding_kind_name(unsigned kind);
enum severity finding_kind_severity(unsigned kind);
const char *finding_kind_words(unsigned kind); /* one sentence */
int finding_kind_find(const char *name);       /* -1: no such kind */
/* Whether it is what a search of the program's memory finds, so that the next one tells whether it is still so. */
bool finding_kind_is_sought(unsigned kind);
const char *severity_name(unsigned severity);
const char *role_name(unsigned role);

/* -- building (context: reporter) ------------------------------------------ */

struct finding_list {
	struct arena *arena; /* owns the findings and the array */
	struct finding **found;
	uint32_t count, room;
	bool incomplete; /* memory or time ran out */
};

/*
 * Begins a finding with room for `items` items (cut to FINDING_MAX_ITEMS), appended to `list`.
 * Severity comes from the kind, `at` from the snapshot. Return: NULL where memory ran out
 * (`incomplete` is set then); it belongs to the list's arena.
 */
struct finding *finding_begin(struct finding_list *list, enum finding_kind kind,
			      const struct snapshot *snapshot, uint32_t items);

/*
 * Adds an item to a finding begun with room for it; past the room it answers a scratch item of
 * the list's arena that is thrown away, so that callers need no check (NULL only without memory).
 */
struct finding_item *finding_add(struct finding *finding, enum role role, uint32_t room);

/* Fills an item's thread fields from a snapshot's thread. */
void finding_item_thread(struct finding_item *item, const struct snap_thread *thread);
/* Fills object, mode, op, since, stack and count from a hold / a wait. */
void finding_item_hold(struct finding_item *item, const struct rec_hold *hold);
void finding_item_wait(struct finding_item *item, const struct rec_wait *wait);

/* -- the log --------------------------------------------------------------- */

/* Walks REC_ALERTS: the finding after `previous` (NULL: the first); NULL at the end or at nonsense. */
const struct finding *finding_next(const struct view *view, const struct finding *previous);

#endif
