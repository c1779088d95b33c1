/*
 * Functions of every shape, all of them bound by a config file, called many times: each argument and each result comes through as it
 * was, and everything is closed again.
 * Hard because: arguments are in integer registers, vectors and on the stack, results in one register, two, vectors, the x87 stack
 * and memory; and a call that returns an error opens nothing.
 *
 * RUN: whoholds run --config=%src/shared/things.conf %prog
 * BUILD: -lthings -lm
 * KINDS: none
 * EXPECT-STDOUT: 0 open
 */
#include <stdio.h>
#include <stdlib.h>

#include "shared/things.h"

#define CHECK(what) \
	do { \
		if (!(what)) { \
			printf("%s:%d: %s\n", __FILE__, __LINE__, #what); \
			exit(1); \
		} \
	} while (0)

typedef double v4 __attribute__((vector_size(32)));

static void doubles(void)
{
	struct thing *thing = NULL;
	struct pair_of_doubles both = thing_open_doubles(&thing, 1.5, -2.25);
	CHECK(both.left == -2.25 && both.right == 1.5);
	thing_free(&thing);
	CHECK(!thing);
	CHECK(thing_open_long_double(&thing, 1.0L / 7) == 1.0L / 7 * 3);
	CHECK(thing_close(thing) == 0);
	long double complex z = thing_open_complex(&thing, 1.25L, -7.5L);
	CHECK(creall(z) == -7.5L && cimagl(z) == 1.25L);
	CHECK(thing_close(thing) == 0);
}

static void many(void)
{
	struct thing *thing = NULL;
	CHECK(thing_open_many(NULL, &thing, 1, 2, 3, 4, 5, 6.0, 7, 8, 9.0, 44) == -1 && !thing);
	CHECK(thing_open_many((struct store *)&thing, &thing, 1, 2, 3, 4, 5, 6.0, 7, 8, 9.0, 45) == 0 &&
	      thing);
	CHECK(thing_close(thing) == 0);
	thing = thing_open_list(10, 110.0, 1., 2., 3., 4., 5., 6., 7., 8., 9., 10., 1L, 2L, 3L, 4L, 5L, 6L,
				7L, 8L, 9L, 10L);
	CHECK(thing);
	thing_free(&thing);
	CHECK(!thing_open_list(1, 3.0, 1., 1L));
	long w[32];
	for (int i = 0; i < 32; i++)
		w[i] = 1000 + i;
	thing = thing_open_words(1, 2, 3, 4, 5, 6, w, w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7], w[8],
				 w[9], w[10], w[11], w[12], w[13], w[14], w[15], w[16], w[17], w[18], w[19],
				 w[20], w[21], w[22], w[23], w[24], w[25], w[26], w[27], w[28], w[29], w[30]);
	CHECK(thing);
	CHECK(thing_close(thing) == 0);
}

static void plain(void)
{
	struct thing *thing = thing_open("x");
	CHECK(!thing_open(""));
	thing_lock(thing, 1);
	CHECK(thing_close(thing) == -1);
	thing_lock(thing, 0);
	CHECK(thing_close(thing) == 0);
	struct wide wide = thing_open_wide(40);
	for (int i = 0; i < 7; i++)
		CHECK(wide.numbers[i] == 40 + i);
	CHECK(thing_close(wide.thing) == 0);
	int slot = slot_take(), seat = seat_take();
	CHECK(slot == 0 && seat == 0);
	slot_give(slot);
	CHECK(seat_take() == 1);
	CHECK(seat_give(1) == 0 && seat_give(seat) == 0);
}

/* At every distance from the end of a page. */
static void at_depth(unsigned bytes)
{
	volatile char *room = __builtin_alloca(bytes + 1);
	room[bytes] = 1;
	many();
	plain();
	doubles();
}

int main(void)
{
	for (unsigned bytes = 0; bytes < 8192; bytes += 16)
		at_depth(bytes);
	printf("%d open\n", things_open);
	return 0;
}
