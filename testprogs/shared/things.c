#include "shared/things.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>

struct thing {
	int locked;
	char name[24];
};

int things_open;

static struct thing *make(void)
{
	__atomic_add_fetch(&things_open, 1, __ATOMIC_RELAXED);
	return calloc(1, sizeof(struct thing));
}

struct thing *thing_open(const char *name)
{
	return *name ? make() : NULL;
}

int thing_close(struct thing *thing)
{
	if (thing->locked)
		return -1;
	__atomic_sub_fetch(&things_open, 1, __ATOMIC_RELAXED);
	free(thing);
	return 0;
}

void thing_lock(struct thing *thing, int locked)
{
	thing->locked = locked;
}

int thing_open_many(struct store *store, struct thing **ret_thing, int a, int b, int c, int d, int e,
		    double f, long g, int h, double i, int sum)
{
	(void)store;
	if (a + b + c + d + e + (int)f + g + h + (int)i != sum)
		return -1;
	*ret_thing = make();
	return 0;
}

struct thing *thing_open_list(int count, double sum, ...)
{
	va_list list;
	double found = 0;
	va_start(list, sum);
	for (int i = 0; i < count; i++)
		found += va_arg(list, double);
	for (int i = 0; i < count; i++)
		found += (double)va_arg(list, long);
	va_end(list);
	return found == sum ? make() : NULL;
}

struct thing *thing_open_words(long a, long b, long c, long d, long e, long f, const long words[32], ...)
{
	va_list list;
	int same = a == 1 && b == 2 && c == 3 && d == 4 && e == 5 && f == 6;
	va_start(list, words);
	for (int i = 0; i < 31; i++)
		same &= va_arg(list, long) == words[i];
	va_end(list);
	return same ? make() : NULL;
}

struct wide thing_open_wide(int seed)
{
	struct wide wide = { .thing = make() };
	for (int i = 0; i < 7; i++)
		wide.numbers[i] = seed + i;
	return wide;
}

struct pair_of_doubles thing_open_doubles(struct thing **ret_thing, double left, double right)
{
	*ret_thing = make();
	return (struct pair_of_doubles){ right, left };
}

long double thing_open_long_double(struct thing **ret_thing, long double value)
{
	*ret_thing = make();
	return value * 3;
}

long double complex thing_open_complex(struct thing **ret_thing, long double real, long double imaginary)
{
	*ret_thing = make();
	return imaginary + real * I;
}

static char slots[8], seats[8];

static int take(char *taken)
{
	for (int i = 0; i < 8; i++)
		if (!taken[i]) {
			taken[i] = 1;
			return i;
		}
	return -1;
}

int slot_take(void)
{
	return take(slots);
}

void slot_give(int slot)
{
	slots[slot] = 0;
}

int seat_take(void)
{
	return take(seats);
}

int seat_give(int seat)
{
	seats[seat] = 0;
	return 0;
}

struct thing *thing_open_with(void (*inside)(struct thing *thing, void *data), void *data)
{
	struct thing *thing = make();
	inside(thing, data);
	return thing;
}

void thing_free(struct thing **thing)
{
	thing_close(*thing);
	*thing = NULL;
}
