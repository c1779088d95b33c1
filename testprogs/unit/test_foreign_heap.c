/* What jemalloc has mapped for itself: whose a mapping is, what is left of it, and when nothing of it is certain. */
#include <check.h>
#include <dlfcn.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "testprogs/unit/suite.h"

/* Whole, since what it knows is for the life of a process, and the tests may share one. */
#include "registry/foreign_heap.c" /* NOLINT(bugprone-suspicious-include) */

/* No memory of ours: nothing looks at what lies there. */
#define BASE UINT64_C(0x7f1200000000)
#define PAGE UINT64_C(4096)

static const void *jemallocs; /* an address in its module */

static void begin_anew(void)
{
	foreign_heap_watches = true;
	named = doubted = false;
	module_start = module_end = 0;
	count = 0;
}

struct told {
	unsigned count;
	uint64_t start[8], end[8];
};

static void tell(uint64_t start, uint64_t end, void *data)
{
	struct told *told = data;
	ck_assert_uint_lt(told->count, COUNT_OF(told->start));
	/* Ascending, in whatever order they come. */
	unsigned at = told->count++;
	for (; at && told->start[at - 1] > start; at--) {
		told->start[at] = told->start[at - 1];
		told->end[at] = told->end[at - 1];
	}
	told->start[at] = start;
	told->end[at] = end;
}

static struct told all(void)
{
	struct told told = { 0 };
	foreign_heap_each(tell, &told);
	return told;
}

static void expect_one(uint64_t first, uint64_t pages)
{
	struct told told = all();
	ck_assert_uint_eq(told.count, 1);
	ck_assert_uint_eq(told.start[0], BASE + first * PAGE);
	ck_assert_uint_eq(told.end[0], BASE + (first + pages) * PAGE);
}

static void maps(uint64_t first, uint64_t pages, const void *caller)
{
	foreign_heap_mapped(BASE + first * PAGE, pages * PAGE, caller);
}

static void start_with_jemalloc(void)
{
	foreign_heap_start(jemallocs);
	foreign_heap_named();
}

/* This program's own code is none of the allocator's. */
static const void *others(void)
{
	return (const void *)(uintptr_t)maps;
}

START_TEST(another_allocator_is_not_watched)
{
	maps(0, 4, others());
	foreign_heap_start(others());
	foreign_heap_named();
	ck_assert(!foreign_heap_watches);
	ck_assert_uint_eq(all().count, 0);
	ck_assert(!foreign_heap_hands_out("mallocx"));
	foreign_heap_called_by(NULL);
	ck_assert(!foreign_heap_doubted());
}
END_TEST

START_TEST(what_was_mapped_before_the_start_goes_by_who_called)
{
	maps(0, 4, jemallocs);
	maps(10, 4, others());
	maps(20, 4, NULL);
	start_with_jemalloc();
	expect_one(0, 4);
}
END_TEST

START_TEST(what_is_mapped_later_as_well)
{
	start_with_jemalloc();
	maps(10, 4, others());
	maps(20, 4, NULL);
	maps(0, 4, jemallocs);
	expect_one(0, 4);
}
END_TEST

START_TEST(pieces_grow_together)
{
	start_with_jemalloc();
	maps(4, 4, jemallocs);
	maps(8, 2, jemallocs);
	maps(1, 3, jemallocs);
	expect_one(1, 9);
}
END_TEST

START_TEST(what_is_unmapped_is_cut_out)
{
	start_with_jemalloc();
	maps(0, 10, jemallocs);
	foreign_heap_unmapping(BASE + 4 * PAGE, 2 * PAGE);
	struct told told = all();
	ck_assert_uint_eq(told.count, 2);
	ck_assert_uint_eq(told.end[0], BASE + 4 * PAGE);
	ck_assert_uint_eq(told.start[1], BASE + 6 * PAGE);
	ck_assert_uint_eq(told.end[1], BASE + 10 * PAGE);
	foreign_heap_unmapping(BASE, 5 * PAGE);
	expect_one(6, 4);
	/* To the end of all there is. */
	foreign_heap_unmapping(BASE + 8 * PAGE, UINT64_MAX);
	expect_one(6, 2);
}
END_TEST

START_TEST(what_somebody_else_maps_over_is_not_its_any_more)
{
	start_with_jemalloc();
	maps(0, 10, jemallocs);
	maps(0, 9, others());
	expect_one(9, 1);
	maps(9, 1, NULL);
	ck_assert_uint_eq(all().count, 0);
}
END_TEST

START_TEST(nothing_is_certain_while_names_are_unknown)
{
	foreign_heap_start(jemallocs);
	maps(0, 4, jemallocs);
	ck_assert_uint_eq(all().count, 0);
	foreign_heap_named();
	expect_one(0, 4);
}
END_TEST

START_TEST(nor_once_somebody_may_have_blocks_unseen)
{
	start_with_jemalloc();
	maps(0, 4, jemallocs);
	ck_assert(foreign_heap_hands_out("mallocx"));
	ck_assert(foreign_heap_hands_out("rallocx"));
	ck_assert(!foreign_heap_hands_out("malloc"));
	/* The allocator may call itself. */
	foreign_heap_called_by(jemallocs);
	ck_assert(!foreign_heap_doubted());
	expect_one(0, 4);
	foreign_heap_called_by(others());
	ck_assert(foreign_heap_doubted());
	ck_assert_uint_eq(all().count, 0);
}
END_TEST

static struct link_map *opened(const char *path)
{
	void *library = dlopen(path, RTLD_LAZY | RTLD_LOCAL);
	struct link_map *map = NULL;
	return library && dlinfo(library, RTLD_DI_LINKMAP, &map) == 0 ? map : NULL;
}

/*
 * jemalloc can't be opened late, for the thread-local data that it has. It is known by its name, so another small library does, which comes
 * with libc, by that name.
 */
static const void *open_jemalloc(void)
{
	char folder[] = "/tmp/foreign_heap.XXXXXX", copy[64], command[512];
	const struct link_map *small = opened("libutil.so.1"), *map = NULL;
	if (!small || !mkdtemp(folder))
		return NULL;
	snprintf(copy, sizeof copy, "%s/libjemalloc.so.2", folder);
	snprintf(command, sizeof command, "cp '%s' %s", small->l_name, copy);
	/* NOLINTNEXTLINE(cert-env33-c): it is where the loader has found it */
	if (system(command) == 0)
		map = opened(copy);
	unlink(copy);
	rmdir(folder);
	return map ? map->l_ld : NULL;
}

int main(void)
{
	jemallocs = open_jemalloc();
	if (!jemallocs) {
		puts("libutil.so.1 can't be copied and opened");
		return 77;
	}
	Suite *suite = suite_create("registry/foreign_heap");
	TCase *tests = tcase_create("foreign_heap");
	suite_add_tcase(suite, tests);
	tcase_add_checked_fixture(tests, begin_anew, NULL);
	tcase_add_test(tests, another_allocator_is_not_watched);
	tcase_add_test(tests, what_was_mapped_before_the_start_goes_by_who_called);
	tcase_add_test(tests, what_is_mapped_later_as_well);
	tcase_add_test(tests, pieces_grow_together);
	tcase_add_test(tests, what_is_unmapped_is_cut_out);
	tcase_add_test(tests, what_somebody_else_maps_over_is_not_its_any_more);
	tcase_add_test(tests, nothing_is_certain_while_names_are_unknown);
	tcase_add_test(tests, nor_once_somebody_may_have_blocks_unseen);
	int failed = suite_run(suite);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
