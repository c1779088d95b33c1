/*
 * Pairs: calls that acquire something, and calls that release it. What a config file says in
 *
 *   [pair "lmdb cursor"]
 *   acquire  = mdb_cursor_open     handle = *arg2   container = arg1   when = ret == 0
 *   release  = mdb_cursor_close    handle = arg1
 *   kind     = cursor
 *
 * and what hooks/library_pairs.def says of libraries in common use, as one kind of entry.
 *
 *   acquire, release   a function's name; as many of each as there are. The same function may stand in
 *                      more than one line: what it releases is released before what it acquires
 *   handle, container  ret, argN, *argN (N from 1 to 6: the integer and pointer arguments), with (int) before it where
 *                      it is an int and no pointer: of those only 32 bits mean anything
 *   when               ret == 0, != 0, >= 0, > 0, < 0, <= 0 or any other integer: of an int; ret == NULL, != NULL: of a
 *                      pointer. Left out: always, or for a handle that is a pointer in ret: ret != NULL
 *   kind               any of registry/kinds.def that is a resource; left out: resource
 *
 * Lines of `key = value` before the first section are options and not looked at here.
 *
 * Pure: memory comes from the caller's arena. Context: that of the arena.
 */
#ifndef WH_PAIRS_H
#define WH_PAIRS_H

#include "base/arena.h"
#include "base/types.h"
#include "registry/kind.h"

#define PAIRS_MOST 256u
#define PAIR_LINES_MOST 1024u
#define PAIR_ARGUMENTS 6u

enum pair_source {
	PAIR_NOTHING,
	PAIR_RET,
	PAIR_ARG,
	PAIR_AT_ARG,
	/* Of descriptors alone; more than one. */
	PAIR_FROM,  /* the number in the argument, and all above it */
	PAIR_RANGE, /* from that number to the one in the next argument, unless the one after that has flags */
	PAIR_RIGHTS, /* those that came with the message (struct msghdr) that the argument points to */
	PAIR_BITS, /* of as many bits as the argument says, in the three sets (fd_set) that the next ones point to */
};

struct pair_value {
	uint8_t source; /* enum pair_source */
	uint8_t number; /* of the argument, from 1 */
	bool is_int;    /* 32 bits mean something, sign included */
	uint8_t word;   /* which one of the ints, or words of 8 bytes, that an argument points to; from 0 */
};

enum pair_test { PAIR_ALWAYS, PAIR_EQ, PAIR_NE, PAIR_GE, PAIR_GT, PAIR_LE, PAIR_LT };

struct pair_when {
	uint8_t test;    /* enum pair_test */
	bool is_pointer; /* all 64 bits of the result are compared, with 0 */
	int32_t value;
	const char *
	    asks; /* what the same library's function of that name answers to the handle is compared; NULL: the result */
};

struct pair_line {
	const char *function;
	struct pair_value handle, container;
	struct pair_when when;
	bool acquires;
	uint16_t pair; /* index */
};

struct pair {
	const char *name;
	enum kind kind;
};

struct pairs {
	struct pair *pairs;
	struct pair_line *lines;
	uint32_t pair_count, line_count;
};

/* `line` counts from 1; the message says what was found and what was expected. */
typedef void pairs_complain(uint32_t line, const char *message, void *data);

/*
 * Adds the pairs in `text` to `into`, which is all zero or was filled by an earlier call. Goes on after a
 * mistake; a section with one adds nothing. Return: the number of mistakes, each of which was passed to
 * `complain`; -ENOMEM.
 */
int pairs_parse(struct pairs *into, struct arena *arena, const char *text, size_t bytes,
		pairs_complain *complain, void *data);

/* Whether a line of a config file, blanks before it dropped, begins a section. */
static inline bool pairs_is_section(const char *line)
{
	return *line == '[';
}

/* Whether a result fulfils the condition. Context: signal. */
static inline bool pair_holds(struct pair_when when, uint64_t result)
{
	int32_t number = (int32_t)result;
	switch ((enum pair_test)when.test) {
	case PAIR_ALWAYS:
		return true;
	case PAIR_EQ:
		return when.is_pointer ? result == 0 : number == when.value;
	case PAIR_NE:
		return when.is_pointer ? result != 0 : number != when.value;
	case PAIR_GE:
		return number >= when.value;
	case PAIR_GT:
		return number > when.value;
	case PAIR_LE:
		return number <= when.value;
	case PAIR_LT:
		return number < when.value;
	}
	return false;
}

/* Whether a function can't be bound, and why: it looks at who calls it, or returns twice. NULL: it can. */
const char *pair_refused(const char *function);

#endif
