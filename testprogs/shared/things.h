/*
 * A library that no table knows: things are opened and closed through functions of every shape that a call can have.
 * Each checks what it is given, so that a call which comes through changed shows in the program.
 */
#ifndef WH_TESTPROGS_THINGS_H
#define WH_TESTPROGS_THINGS_H

#ifndef __cplusplus
#include <complex.h>
#endif

#ifdef __cplusplus
extern "C" {
#endif

struct thing;
struct store;

struct wide {
	struct thing *thing;
	long numbers[7];
};

struct pair_of_doubles {
	double left, right;
};

/* A thing, or NULL where `name` is "". */
struct thing *thing_open(const char *name);
/* 0: it is closed; -1: it is locked (thing_lock), and stays open. */
int thing_close(struct thing *thing);
void thing_lock(struct thing *thing, int locked);

/* Into *ret_thing; arguments 7 to 12 are on the stack, among doubles. 0, or -1 where they don't add up to `sum`. */
int thing_open_many(struct store *store, struct thing **ret_thing, int a, int b, int c, int d, int e,
		    double f, long g, int h, double i, int sum);

/* Numbers after it: `count` doubles, then `count` longs. NULL where their sum is not `sum`. */
struct thing *thing_open_list(int count, double sum, ...);

/* 32 words on the stack beyond the six in registers. */
struct thing *thing_open_words(long a, long b, long c, long d, long e, long f, const long words[32], ...);

/* Results in memory, in two vector registers, on the x87 stack (one and two), in vectors of 256 bits. */
struct wide thing_open_wide(int seed);
struct pair_of_doubles thing_open_doubles(struct thing **ret_thing, double left, double right);
long double thing_open_long_double(struct thing **ret_thing, long double value);
#ifndef __cplusplus
long double complex thing_open_complex(struct thing **ret_thing, long double real, long double imaginary);
#endif

/* Small numbers: two sorts of them, which may be the same. -1: none left. */
int slot_take(void);
void slot_give(int slot);
int seat_take(void);
int seat_give(int seat);

/* Calls `inside` with the new thing before it returns it. */
struct thing *thing_open_with(void (*inside)(struct thing *thing, void *data), void *data);

/* Its handle is *ret_thing; the name is copied to where it was asked to. */
void thing_free(struct thing **thing);

extern int things_open;

#ifdef __cplusplus
}
#endif
#endif
