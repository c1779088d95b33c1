/* What the scan reads out of a process: its mappings, its stacks, its allocator's chunks, what epoll keeps. */
#include "scan_heap.h"

#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/context.h"
#include "reporter/scan/heap.h"
#include "reporter/scan/maps.h"
#include "reporter/scan/polled.h"
#include "reporter/scan/ranges.h"
#include "reporter/scan/stacks.h"
#include "reporter/scan/timers.h"

#include "suite.h"

/* It brings a stack, a malloc and an opinion of its own on what may be read below a stack pointer. */
static bool under_valgrind(void)
{
	const char *preload = getenv("LD_PRELOAD");
	return preload && strstr(preload, "vgpreload");
}

/* Under the sanitizers malloc is somebody else's too. */
static bool malloc_is_of_libc(void)
{
#if defined(__SANITIZE_ADDRESS__)
	return false;
#else
	return !under_valgrind();
#endif
}

static bool parse(const char *line, struct map *map)
{
	return maps_parse_line(line, line + strlen(line), map);
}

START_TEST(lines_of_maps)
{
	static const struct {
		const char *line;
		uint32_t flags;
	} lines[] = {
		{ "55d0c8e6d000-55d0c8e6f000 r--p 00000000 fe:00 1234      /usr/bin/cat",
		  MAP_READ | MAP_OF_FILE },
		{ "55d0c8e6d000-55d0c8e6f000 rw-p 00000000 00:00 0", MAP_READ | MAP_WRITE },
		{ "55d0c8e6d000-55d0c8e6f000 rw-p 00000000 00:00 0 ", MAP_READ | MAP_WRITE },
		{ "55d0c8e6d000-55d0c8e6f000 rw-p 00000000 00:00 0    [heap]",
		  MAP_READ | MAP_WRITE | MAP_BREAK },
		{ "55d0c8e6d000-55d0c8e6f000 rw-p 00000000 00:00 0    [stack]",
		  MAP_READ | MAP_WRITE | MAP_MAIN_STACK },
		{ "55d0c8e6d000-55d0c8e6f000 rw-p 00000000 00:00 0    [anon:arena]", MAP_READ | MAP_WRITE },
		{ "55d0c8e6d000-55d0c8e6f000 r-xp 00000000 00:00 0    [vdso]",
		  MAP_READ | MAP_EXECUTE | MAP_OF_KERNEL },
		{ "55d0c8e6d000-55d0c8e6f000 rw-s 00000000 00:05 9    /dev/dri/card0",
		  MAP_READ | MAP_WRITE | MAP_IS_SHARED | MAP_OF_KERNEL },
		{ "55d0c8e6d000-55d0c8e6f000 rw-s 00000000 00:05 9    /dev/shm/x y (deleted)",
		  MAP_READ | MAP_WRITE | MAP_IS_SHARED | MAP_OF_FILE },
		{ "55d0c8e6d000-55d0c8e6f000 rw-s 00000000 00:01 9    /dev/zero (deleted)",
		  MAP_READ | MAP_WRITE | MAP_IS_SHARED | MAP_OF_FILE },
		{ "55d0c8e6d000-55d0c8e6f000 ---p 00000000 00:00 0", 0 },
	};
	for (size_t i = 0; i < COUNT_OF(lines); i++) {
		struct map map;
		ck_assert_msg(parse(lines[i].line, &map), "%s", lines[i].line);
		ck_assert_uint_eq(map.start, 0x55d0c8e6d000);
		ck_assert_uint_eq(map.end, 0x55d0c8e6f000);
		ck_assert_msg(map.flags == lines[i].flags, "%s: %x", lines[i].line, map.flags);
	}
	static const char *const wrong[] = {
		"", "x", "55d0-", "55d0c8e6d000-55d0c8e6d000 rw-p", "55d0-55d1 rw", "-1 rw-p 0 0 0"
	};
	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		struct map map;
		ck_assert_msg(!parse(wrong[i], &map), "%s", wrong[i]);
	}
}
END_TEST

START_TEST(maps_of_this_process)
{
	static int variable;
	int local = 0;
	/* Many mappings, so that the file is read in several pieces. */
	char *many = mmap(NULL, 4000 * 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(many, MAP_FAILED);
	for (int i = 0; i < 4000; i += 2)
		ck_assert_int_eq(mprotect(many + i * 4096, 4096, PROT_READ | PROT_WRITE), 0);
	struct maps maps;
	ck_assert_int_eq(maps_read(&maps), 0);
	ck_assert_uint_gt(maps.count, 4000);
	for (uint64_t i = 1; i < maps.count; i++)
		ck_assert_uint_ge(maps.at[i].start, maps.at[i - 1].end);
	const struct map *map = maps_find(&maps, (uint64_t)(uintptr_t)&variable);
	ck_assert(map && (map->flags & (MAP_READ | MAP_WRITE)) == (MAP_READ | MAP_WRITE));
	map = maps_find(&maps, (uint64_t)(uintptr_t)&local);
	ck_assert(map && map->flags & MAP_MAIN_STACK);
	ck_assert_ptr_null(maps_find(&maps, 0));
	maps_release(&maps);
	munmap(many, 4000 * 4096);
}
END_TEST

START_TEST(ranges_in_any_order)
{
	struct ranges ranges = { 0 };
	ranges_add(&ranges, 50, 60);
	ranges_add(&ranges, 10, 20);
	ranges_add(&ranges, 18, 30);
	ranges_add(&ranges, 60, 61);
	ranges_add(&ranges, 40, 40);
	ranges_sort(&ranges);
	ck_assert_uint_eq(ranges.count, 2);
	ck_assert(ranges_hold(&ranges, 10) && ranges_hold(&ranges, 29) && ranges_hold(&ranges, 60));
	ck_assert(!ranges_hold(&ranges, 9) && !ranges_hold(&ranges, 30) && !ranges_hold(&ranges, 61));
	struct range gap;
	uint64_t from = 0;
	ck_assert(ranges_gap(&ranges, &from, 55, &gap));
	ck_assert_uint_eq(gap.start, 0);
	ck_assert_uint_eq(gap.end, 10);
	ck_assert(ranges_gap(&ranges, &from, 55, &gap));
	ck_assert_uint_eq(gap.start, 30);
	ck_assert_uint_eq(gap.end, 50);
	ck_assert(!ranges_gap(&ranges, &from, 55, &gap));
	from = 70;
	ck_assert(ranges_gap(&ranges, &from, 80, &gap));
	ck_assert_uint_eq(gap.start, 70);
	ck_assert_uint_eq(gap.end, 80);
	struct range piece;
	ck_assert(ranges_next(&ranges, 25, 55, &piece));
	ck_assert_uint_eq(piece.start, 25);
	ck_assert_uint_eq(piece.end, 30);
	ck_assert(!ranges_next(&ranges, 30, 50, &piece));
	ranges_release(&ranges);
}
END_TEST

struct words {
	uint64_t at[8];
	unsigned count;
};

static void word_found(uint64_t word, void *data)
{
	struct words *words = data;
	words->at[words->count++] = word;
}

START_TEST(what_epoll_keeps)
{
	struct words words = { .count = 0 };
	polled_parse("pos:\t0\nflags:\t02\nmnt_id:\t15\nino:\t1057\n"
		     "tfd:        6 events:       19 data:     7f12345678a0  pos:0 ino:9 sdev:8\n"
		     "tfd:        7 events:       19 data:                7  pos:0 ino:9 sdev:8\n",
		     word_found, &words);
	ck_assert_uint_eq(words.count, 2);
	ck_assert_uint_eq(words.at[0], 0x7f12345678a0);
	ck_assert_uint_eq(words.at[1], 7);
	polled_parse("data:", word_found, &words);
	ck_assert_uint_eq(words.at[2], 0);
}
END_TEST

START_TEST(what_timers_keep)
{
	struct words words = { .count = 0 };
	timers_parse("ID: 0\nsignal: 34/000055d0c8e6d010\nnotify: signal/pid.4242\nClockID: 1\n"
		     "ID: 1\nsignal: 0/0000000000000007\nnotify: none/pid.4242\nClockID: 0\n",
		     word_found, &words);
	ck_assert_uint_eq(words.count, 2);
	ck_assert_uint_eq(words.at[0], 0x55d0c8e6d010);
	ck_assert_uint_eq(words.at[1], 7);
	timers_parse("signal: 34\nsignal:", word_found, &words);
	ck_assert_uint_eq(words.count, 2);
}
END_TEST

static pthread_barrier_t meet;

static void *thread_run(void *argument)
{
	uint64_t pointer;
	__asm__("mov %%fs:0, %0" : "=r"(pointer));
	*(uint64_t *)argument = pointer;
	pthread_barrier_wait(&meet);
	pthread_barrier_wait(&meet);
	return NULL;
}

static unsigned found_count;
static void stack_found(uint64_t pointer, const struct range *stack, void *data)
{
	(void)stack;
	found_count += pointer == *(const uint64_t *)data;
}

START_TEST(the_stack_of_a_thread)
{
	uint64_t pointer = 0;
	pthread_t thread;
	pthread_attr_t attributes;
	pthread_barrier_init(&meet, NULL, 2);
	ck_assert_int_eq(pthread_create(&thread, NULL, thread_run, &pointer), 0);
	pthread_barrier_wait(&meet);
	ck_assert_int_eq(pthread_getattr_np(thread, &attributes), 0);
	void *low;
	size_t bytes, guard;
	ck_assert_int_eq(pthread_attr_getstack(&attributes, &low, &bytes), 0);
	ck_assert_int_eq(pthread_attr_getguardsize(&attributes, &guard), 0);
	pthread_attr_destroy(&attributes);

	struct maps maps;
	ck_assert_int_eq(maps_read(&maps), 0);
	struct range stack;
	ck_assert(stack_of_pointer(&maps, pointer, &stack));
	/* libc counts the guard in or out, by version. */
	ck_assert_uint_eq(stack.end, (uint64_t)(uintptr_t)low + bytes);
	ck_assert(stack.start == (uint64_t)(uintptr_t)low || stack.start == (uint64_t)(uintptr_t)low - guard);
	ck_assert(!stack_of_pointer(&maps, pointer + 64, &stack));
	ck_assert(!stack_of_pointer(&maps, 0, &stack));

	struct pages pages;
	pages_open(&pages);
	found_count = 0;
	stacks_each(&maps, maps_find(&maps, pointer), &pages, stack_found, &pointer);
	ck_assert_uint_eq(found_count, 1);
	pages_close(&pages);
	maps_release(&maps);
	pthread_barrier_wait(&meet);
	pthread_join(thread, NULL);
}
END_TEST

static int by_address(const void *a, const void *b)
{
	const struct block *left = a, *right = b;
	return left->start < right->start ? -1 : left->start > right->start;
}

/* As an image takes its blocks in. */
static void measure(struct blocks *blocks, struct block *list, uint64_t count, const struct maps *maps,
		    struct ranges *ret_heap)
{
	struct heap heap = {
		.maps = maps, .readable = blocks->readable, .of_libc = blocks->of_libc, .ranges = ret_heap
	};
	heap_begin(&heap);
	for (uint64_t i = 0; i < count; i++)
		heap_add(&heap, &list[i]);
	heap_end(&heap);
	ranges_sort(ret_heap);
	facts_enter(blocks, list, count);
}

/* Of libc's own allocator what the chunk says must be what libc says. */
/* By the kernel's word where the next page is, and without. */
START_TEST(pages_of_a_large_reserve)
{
	const size_t bytes = (size_t)8 << 30, at = bytes - 100 * PAGE_BYTES;
	char *reserve =
	    mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	ck_assert_ptr_ne(reserve, MAP_FAILED);
	madvise(reserve, bytes, MADV_NOHUGEPAGE);
	reserve[at] = reserve[at + PAGE_BYTES] = 1;
	uint64_t start = (uintptr_t)reserve, end = start + bytes;
	struct pages pages;
	struct range run;
	pages_open(&pages);
	ck_assert_int_ge(pages.fd, 0);
	pages.one_by_one = _i;
	ck_assert(pages_next_run(&pages, start, end, PAGES_WRITTEN, &run));
	ck_assert_uint_eq(run.start, start + at);
	ck_assert_uint_eq(run.end, start + at + 2 * PAGE_BYTES);
	ck_assert(!pages_next_run(&pages, run.end, end, PAGES_WRITTEN, &run));
	ck_assert(!pages_next_run(&pages, start, start + at, PAGES_ANY, &run));
	pages_close(&pages);
	munmap(reserve, bytes);
}
END_TEST

START_TEST(chunks_of_libc)
{
	enum { COUNT = 400 };
	struct block list[COUNT];
	for (unsigned i = 0; i < COUNT; i++) {
		size_t bytes = i * 13 % 5000 + (i % 40 == 0) * 200000u;
		void *block = i % 7 ? malloc(bytes) : memalign(256, bytes);
		list[i] = (struct block){ .start = (uint64_t)(uintptr_t)block, .bytes = bytes, .site = 1 };
	}
	qsort(list, COUNT, sizeof *list, by_address);
	struct maps maps;
	ck_assert_int_eq(maps_read(&maps), 0);
	struct ranges readable = { 0 }, heap = { 0 };
	for (uint64_t i = 0; i < maps.count; i++)
		if (maps.at[i].flags & MAP_READ)
			ranges_add(&readable, maps.at[i].start, maps.at[i].end);
	ranges_sort(&readable);
	struct blocks blocks = { .of_libc = malloc_is_of_libc(), .readable = &readable };
	measure(&blocks, list, COUNT, &maps, &heap);
	for (uint32_t i = 0; i < COUNT; i++) {
		struct block block = blocks_look(&blocks, list[i].start);
		ck_assert(ranges_hold(&heap, block.start));
		ck_assert(ranges_hold(&heap, block.start + block_extent(&block) - 1));
		if (!malloc_is_of_libc())
			continue;
		uint64_t usable = malloc_usable_size((void *)block.start);
		ck_assert_uint_eq(block.bytes + block.slack, usable);
		ck_assert(!blocks_usable(&blocks, block.start) ||
			  blocks_usable(&blocks, block.start) == usable);
		struct block_cursor cursor = block_cursor_at(&blocks, i, block.start);
		ck_assert_uint_eq(cursor.end, block.start + usable);
	}
	/* What is not the allocator's. */
	static int variable;
	int local;
	ck_assert(!ranges_hold(&heap, (uint64_t)(uintptr_t)&variable));
	ck_assert(!ranges_hold(&heap, (uint64_t)(uintptr_t)&local));
	ranges_release(&heap);
	ranges_release(&readable);
	maps_release(&maps);
	blocks_release(&blocks);
	for (unsigned i = 0; i < COUNT; i++)
		free((void *)list[i].start);
}
END_TEST

/* Tiny blocks of jemalloc and tcmalloc lie 8 bytes apart: none may cover the next. */
START_TEST(chunks_of_another_allocator)
{
	static char memory[256] __attribute__((aligned(16)));
	struct block list[32];
	for (unsigned i = 0; i < 32; i++)
		list[i] =
		    (struct block){ .start = (uint64_t)(uintptr_t)memory + 8 * i, .bytes = i % 9, .site = 1 };
	struct maps maps;
	ck_assert_int_eq(maps_read(&maps), 0);
	struct ranges readable = { 0 }, heap = { 0 };
	ranges_add(&readable, (uint64_t)(uintptr_t)memory - 16, (uint64_t)(uintptr_t)memory + 256);
	struct blocks blocks = { .readable = &readable };
	measure(&blocks, list, 32, &maps, &heap);
	ck_assert(blocks.too_near);
	blocks_release(&blocks);
	facts_enter_units(&blocks, list, 32, BLOCKS_UNIT_SMALL);
	for (unsigned i = 0; i < 32; i++) {
		struct block block = blocks_look(&blocks, list[i].start);
		ck_assert_uint_eq(blocks_find(&blocks, (uint64_t)(uintptr_t)memory + 8 * i), i);
		ck_assert_uint_le(block.bytes + block.slack, 8);
	}
	ranges_release(&heap);
	ranges_release(&readable);
	maps_release(&maps);
	blocks_release(&blocks);
}
END_TEST

int main(void)
{
	if (getenv("LD_PRELOAD") && strstr(getenv("LD_PRELOAD"), "vgpreload")) {
		printf("valgrind brings its own allocator and its own stack\n");
		return 77;
	}
	Suite *suite = suite_create("scan_process");
	TCase *tests = tcase_create("process");
	tcase_add_test(tests, lines_of_maps);
	tcase_add_test(tests, ranges_in_any_order);
	tcase_add_test(tests, what_epoll_keeps);
	tcase_add_test(tests, what_timers_keep);
	tcase_add_loop_test(tests, pages_of_a_large_reserve, 0, 2);
	tcase_add_test(tests, chunks_of_libc);
	if (!under_valgrind()) {
		tcase_add_test(tests, maps_of_this_process);
		tcase_add_test(tests, the_stack_of_a_thread);
	}
	tcase_add_test(tests, chunks_of_another_allocator);
	suite_add_tcase(suite, tests);
	int failed = suite_run(suite);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
