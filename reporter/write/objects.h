/*
 * The objects of a report: everything that a thread of its snapshot holds or
 * waits for, and everything that its findings speak of, numbered in the order in
 * which they are met, each with its name and with who holds it and who waits.
 *
 * Names come from the program (wh_name, the name of an iterator), else from the
 * variable that the object lies in; an object that has neither is known by its
 * address, by what it lies in (places.h), and by where it was made.
 *
 * Context: reporter. Memory is the report's arena.
 */
#ifndef WH_WRITE_OBJECTS_H
#define WH_WRITE_OBJECTS_H

#include "reporter/write/names.h"

struct holder { /* a thread that holds an object, or waits for it */
	thread_id thread;
	const struct rec_hold *hold; /* NULL: it waits */
	const struct rec_wait *wait; /* NULL: it holds */
	struct holder *next;
};

struct object {
	uint8_t kind;     /* enum kind, a known one */
	bool named;       /* `name` has been looked for */
	bool quoted;      /* the name is one that the program gave, not a symbol */
	thread_id target; /* KIND_THREAD: which; 0: unknown */
	uint32_t number;  /* in the report, from 1 */
	uint64_t handle;
	text_id text;           /* a name from the program; 0: none */
	const char *name;       /* NULL: has none */
	const char *where;      /* without a name: what it lies in, as others may; NULL: not known */
	uint32_t place;         /* see view_place; 0: not known */
	stack_id created_stack; /* of its init call; 0: unknown; looked for with the name */
	struct holder *holders, **last_holder, *waiters, **last_waiter;
	uint32_t holder_count, waiter_count;
	struct object *next; /* in the order of their numbers */
};

/* How the handle of a kind's objects is to be read. */
enum handle_sort { HANDLE_ADDRESS, HANDLE_DESCRIPTOR, HANDLE_PROCESS, HANDLE_NUMBER, HANDLE_NOTHING };
enum handle_sort kind_handle_sort(unsigned kind);

/* A kind's noun for one and for many: "directory", "directories"; and what giving it back is called: "closed". */
const char *kind_noun(unsigned kind, uint64_t count);
const char *kind_given_back(unsigned kind);
/* `18 statements "SQLite"`: so many of them, more than one, with the name that all of them have; `name` 0: they have none in common. */
const char *kind_many(struct names *names, unsigned kind, uint64_t count, text_id name);
const char *item_many(struct names *names, const struct finding_item *item, uint64_t count);
/* The same of what the item says was given back: a thread may have been joined or detached. */
const char *finding_given_back(const struct finding_item *item);

/* Fills names->objects and names->resources from the snapshot. Return: 0 or -ENOMEM. */
int objects_collect(struct names *names);

/*
 * The object, made if there is none yet. NULL where it is nothing in particular (a sleep), and without
 * memory. `text` and `target` may be 0.
 */
struct object *object_get(struct names *names, unsigned kind, uint64_t handle, text_id text,
			  thread_id target);
struct object *object_of_item(struct names *names, const struct finding_item *item);
struct object *object_of_hold(struct names *names, const struct rec_hold *hold);
struct object *object_of_wait(struct names *names, const struct rec_wait *wait);

/* The object's name (see struct object), looked for now; NULL: none. */
const char *object_name(struct names *names, struct object *object);

/* How much is said of an object. */
enum object_detail {
	OBJECT_BRIEF, /* `mutex cache_lock`; `mutex 0x55d0` where it has no name */
	OBJECT_PLAIN, /* ... and `mutex 0x55d0 (made in cache_new cache.c:31)`, or what it lies in, where that is known */
	OBJECT_FULL, /* ... and `mutex cache_lock (prog .bss)` */
};

/* Also `iterator "sessions"`, `fd 5`, `thread 3 "reader"`; NULL is "nothing in particular". */
const char *object_text(struct names *names, struct object *object, enum object_detail detail);

/* What else there is to say of it as it is now: ` (2 of 3 have come)` of a barrier; or "". */
const char *object_state_text(struct names *names, const struct object *object);

/* `lock:2`: the object's id in JSON. */
const char *object_id(struct names *names, const struct object *object);

/* The resources that the `index`th thread of the snapshot acquired; *ret_count of them. */
const struct rec_hold **thread_resources(const struct names *names, uint32_t index, uint32_t *ret_count);

#endif
