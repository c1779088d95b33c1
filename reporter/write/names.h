/*
 * Names: what the numbers of a report mean to people. Threads and stacks are
 * looked up once each, however often a report speaks of them, and always have some
 * name: what can't be found out is said to be unknown. Objects: objects.h.
 *
 * Everything belongs to the report's arena. Where memory runs out, names become
 * "?" and `failed` of the arena is set; nothing is ever NULL that is not said to be.
 *
 * Context: reporter.
 */
#ifndef WH_WRITE_NAMES_H
#define WH_WRITE_NAMES_H

#include "reporter/write/report.h"

struct object;

struct named_stack {
	stack_id id;
	size_t count;               /* frames; those of the shim are left out */
	const struct frame *frames; /* innermost first */
	bool truncated;             /* the recording has only the inner part */
	struct named_stack *next;   /* in the order of their first use */
};

struct names {
	const struct report *report;
	struct arena *arena;
	const char *program;   /* the process's name; "" where it is not known */
	const char *shim_path; /* NULL: unknown */
	struct named_stack **stack_slots;
	size_t stack_room, stack_count;
	struct named_stack *stacks, **last_stack;
	/* see objects.h */
	struct object **object_slots;
	size_t object_room, object_count;
	struct object *objects, **last_object;
	const struct rec_hold **resources; /* of the snapshot, by owner */
	uint32_t
	    *resource_starts; /* positions in `resources`, one for each thread of the snapshot and one more */
};

/* Return: 0 or -ENOMEM. */
int names_init(struct names *names, const struct report *report);

/* A text in the arena; "?" where memory ran out. What exceeds 64 KiB is cut. */
const char *names_format(struct names *names, const char *format, ...) PRINTF(2, 3);

/* Quantities as texts in the arena: "7.3 s", "64 KiB", "1,024". */
const char *names_duration(struct names *names, nsec_t ns);
const char *names_size(struct names *names, uint64_t bytes);
const char *names_count(struct names *names, uint64_t count);

/* The frames of a stack; with none for 0 and for what can't be read. */
const struct named_stack *names_stack(struct names *names, stack_id stack);

/*
 * The innermost frame that is the program's own, and behind one that only allocates (frame_is_allocator) who called it; else
 * the innermost; NULL: no frame at all.
 */
const struct frame *names_own_frame(struct names *names, stack_id stack);

/*
 * The function of a frame without its parameters, else "module+0x12"; in short also without what stands
 * in <> where the name is long. names_own_function: in short, of names_own_frame; NULL: no frame at all.
 */
const char *names_frame_function(struct names *names, const struct frame *frame);
const char *names_short_function(struct names *names, const struct frame *frame);
const char *names_own_function(struct names *names, stack_id stack);

/*
 * `thread 3 "reader"`; `thread 1 "main"` for a main thread that goes by the program's name.
 * `recorded_name` is at most REC_NAME_BYTES long, ended or not; NULL: that of the snapshot.
 */
const char *names_thread(struct names *names, thread_id thread, const char *recorded_name);
const char *names_item_thread(struct names *names, const struct finding_item *item);

/*
 * How many items of a finding its bytes hold: nothing else in this folder looks at item_count.
 * Context: signal.
 */
uint32_t finding_items(const struct finding *finding);

/* Makes room in a hash table of pointers, a power of two, by doubling it. Return: false without memory. */
bool names_table_grow(struct arena *arena, void ***slots, size_t *room, size_t count,
		      uint64_t (*hash)(const void *entry));

#endif
