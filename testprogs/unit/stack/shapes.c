#include "shapes.h"

#include <alloca.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define APART __attribute__((noinline))

static volatile int sink;

/* Something between the calls, so that nothing becomes a jump and registers are in use. */
static APART void use(const void *memory, int value)
{
	sink += value + *(const volatile char *)memory;
}

static APART void plain(int levels, visit_fn visit)
{
	int keep = sink;
	if (levels > 1)
		plain(levels - 1, visit);
	else
		visit();
	use(&keep, levels);
}

static APART void registers(int levels, visit_fn visit)
{
	int a = sink + 1, b = sink * 3, c = sink - 7, d = sink ^ 5, e = sink | 9;
	if (levels > 1)
		registers(levels - 1, visit);
	else
		visit();
	sink = a * levels + b - c * d + e;
}

static APART void large(int levels, visit_fn visit)
{
	char room[5000];
	memset(room, levels, sizeof room);
	use(room, 1);
	if (levels > 1)
		large(levels - 1, visit);
	else
		visit();
	use(room, levels);
}

static APART void dynamic(int levels, visit_fn visit)
{
	char *room = alloca((size_t)(levels * 16 + 1));
	room[0] = (char)levels;
	use(room, 1);
	if (levels > 1)
		dynamic(levels - 1, visit);
	else
		visit();
	use(room, levels);
}

static APART void aligned(int levels, visit_fn visit)
{
	_Alignas(64) char room[64];
	room[0] = (char)levels;
	use(room, 1);
	if (levels > 1)
		aligned(levels - 1, visit);
	else
		visit();
	use(room, levels);
}

/* Both at once: the caller's stack pointer is remembered in yet another register. */
static APART void aligned_dynamic(int levels, visit_fn visit)
{
	_Alignas(128) char room[128];
	char *more = alloca((size_t)(levels * 24 + 1));
	room[0] = more[0] = (char)levels;
	use(room, 1);
	use(more, 1);
	if (levels > 1)
		aligned_dynamic(levels - 1, visit);
	else
		visit();
	use(room, levels);
	use(more, levels);
}

static APART int variadic(int levels, visit_fn visit, ...)
{
	va_list list;
	va_start(list, visit);
	int sum = va_arg(list, int) + va_arg(list, int) + (int)va_arg(list, double);
	va_end(list);
	if (levels > 1)
		sum += variadic(levels - 1, visit, sum, 2, 3.0);
	else
		visit();
	return sum;
}

static void call_variadic(int levels, visit_fn visit)
{
	sink += variadic(levels, visit, 1, 2, 3.0);
}

/* Arguments beyond the registers are pushed, and in some builds the stack pointer moves at each call. */
static APART int many(int levels, visit_fn visit, int a, int b, int c, int d, int e, long f, long g, long h)
{
	if (levels > 1)
		a += many(levels - 1, visit, b, c, d, e, a, f + 1, g + 1, h + 1);
	else
		visit();
	return a + b + c + d + e + (int)(f + g + h);
}

static void call_many(int levels, visit_fn visit)
{
	sink += many(levels, visit, 1, 2, 3, 4, 5, 6, 7, 8);
}

/* The frame is set up on some ways through the function only. */
static APART void early(int levels, visit_fn visit)
{
	if (!levels)
		return;
	int a = sink + 1, b = sink * 3;
	if (levels == 1) {
		visit();
		sink += a;
		return;
	}
	early(levels - 1, visit);
	sink = a * b;
	early(0, visit);
}

/* Sorting through libc calls back into us from frames that are not ours. */
static visit_fn sorting_visit;
static int sorting_levels;

static int compare(const void *a, const void *b)
{
	if (sorting_levels > 0) {
		sorting_levels--;
		sorting_visit();
	}
	return *(const int *)a - *(const int *)b;
}

static APART void sort(int levels, visit_fn visit)
{
	int numbers[64];
	for (int i = 0; i < 64; i++)
		numbers[i] = (i * 37) % 64;
	sorting_visit = visit;
	sorting_levels = levels;
	qsort(numbers, 64, sizeof numbers[0], compare);
	int key = 5;
	sorting_levels = 2;
	use(bsearch(&key, numbers, 64, sizeof numbers[0], compare), 1);
}

/* The last call of a function becomes a jump: its frame is gone, the stack is right without it. */
static APART void leap(int levels, visit_fn visit);

static APART void leap_back(int levels, visit_fn visit)
{
	use(&levels, levels);
	if (levels > 1)
		leap(levels - 1, visit);
	else
		visit();
}

static APART void leap(int levels, visit_fn visit)
{
	int before = sink;
	use(&before, 3);
	leap_back(levels, visit);
}

/* The call that does not return is the last instruction: the return address is that of the next function. */
static APART __attribute__((noreturn)) void last(visit_fn visit, void **back)
{
	visit();
	__builtin_longjmp(back, 1);
}

static APART void call_last(int levels, visit_fn visit)
{
	void *back[5];
	if (levels > 1) {
		call_last(levels - 1, visit);
		use(&levels, 1);
		return;
	}
	if (__builtin_setjmp(back) == 0)
		last(visit, back);
	use(&levels, 1);
}

const struct shape SHAPES[SHAPES_MOST] = {
	{ "plain", plain },
	{ "registers", registers },
	{ "large", large },
	{ "dynamic", dynamic },
	{ "aligned", aligned },
	{ "aligned_dynamic", aligned_dynamic },
	{ "variadic", call_variadic },
	{ "many", call_many },
	{ "early", early },
	{ "sort", sort },
	{ "leap", leap },
	{ "last", call_last },
};
