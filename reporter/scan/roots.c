#include "reporter/scan/roots.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>

#include "platform/sys.h"
#include "registry/foreign_heap.h"
#include "registry/recording.h"
#include "registry/thread.h"
#include "reporter/scan/extents.h"
#include "reporter/scan/memory.h"
#include "reporter/scan/orphans.h"
#include "reporter/scan/polled.h"
#include "reporter/scan/pools.h"
#include "reporter/scan/scan.h"
#include "reporter/scan/stacks.h"
#include "reporter/scan/timers.h"

/* Leaf functions keep locals below their stack pointer, as far as this. */
#define RED_ZONE ((uint64_t)128)

struct roots {
	struct image *image;
	struct mark *mark;
	struct ranges left_out;
	uint64_t *bounce; /* copies of memory that may not be touched directly */
};

#define BOUNCE_BYTES ((uint64_t)64 * 1024)

/* -- reading --------------------------------------------------------------- */

static void mark_words_of(struct roots *roots, uint64_t start, uint64_t end, enum mark_of of)
{
	if (start < end)
		mark_words(roots->mark, (const uint64_t *)start, (end - start) / 8, of);
}

static void mark_piece(struct roots *roots, uint64_t start, uint64_t end)
{
	start = (start + 7) & ~UINT64_C(7);
	end &= ~UINT64_C(7);
	uint64_t from = MIN_OF(MAX_OF(roots->image->libc.start, start), end);
	uint64_t to = MAX_OF(MIN_OF(roots->image->libc.end, end), from);
	mark_words_of(roots, start, from, MARK_OF_PROGRAM);
	mark_words_of(roots, from, to, MARK_OF_LIBC);
	mark_words_of(roots, to, end, MARK_OF_PROGRAM);
}

/* Code that was made at run time: an instruction holds an address wherever it happens to stand. */
static void mark_code(struct roots *roots, uint64_t start, uint64_t end)
{
	const uint64_t most = BOUNCE_BYTES / 8;
	/* The search for orphans looks at each byte of whatever there is. */
	if (roots->mark->seek)
		return;
	for (; start + 8 < end; start += most * 8)
		for (uint64_t from = start + 1; from < start + 8; from++) {
			uint64_t count = MIN_OF((end - from) / 8, most);
			memcpy(roots->bounce, (const void *)from, count * 8);
			roots->mark->shift = from - (uint64_t)(uintptr_t)roots->bounce;
			mark_words(roots->mark, roots->bounce, count, MARK_OF_PROGRAM);
		}
	roots->mark->shift = 0;
}

/* Memory that others may cut short, and devices: a copy by the kernel fails where a load would be a signal. */
static void mark_copied(struct roots *roots, uint64_t start, uint64_t end)
{
	const struct range *libc = &roots->image->libc;
	int32_t pid = sys_pid();
	while (start < end) {
		uint64_t bytes = MIN_OF(end - start, BOUNCE_BYTES);
		struct iovec to = { roots->bounce, bytes }, from = { (void *)start, bytes };
		long got = sys_call6(SYS_process_vm_readv, pid, (long)&to, 1, (long)&from, 1, 0);
		roots->mark->shift = start - (uint64_t)(uintptr_t)roots->bounce;
		if (got > 0)
			mark_words(roots->mark, roots->bounce, (uint64_t)got / 8,
				   start >= libc->start && start < libc->end ? MARK_OF_LIBC
									     : MARK_OF_PROGRAM);
		roots->mark->shift = 0;
		start += bytes;
	}
}

/* Readable memory of one mapping, as far as it was written. */
static void mark_mapping(struct roots *roots, const struct map *map, uint64_t start, uint64_t end)
{
	bool shared = map->flags & MAP_IS_SHARED;
	struct numbers *numbers = roots->mark->numbers;
	/* What can't be written holds no number: tables of the linker's, which are full of small ones. */
	if (!(map->flags & MAP_WRITE))
		roots->mark->numbers = NULL;
	/* Pages of ours that were given back since the mappings were read: the page map has nothing there. */
	bool may_be_gone = roots->image->pages.fd < 0;
	struct range run;
	while (!roots->mark->expired &&
	       pages_next_run(&roots->image->pages, start, end, shared ? PAGES_ANY : PAGES_WRITTEN, &run)) {
		if (shared || may_be_gone)
			mark_copied(roots, run.start, run.end);
		else
			mark_piece(roots, run.start, run.end);
		if (map->flags & MAP_EXECUTE && !shared && !may_be_gone)
			mark_code(roots, run.start, run.end);
		start = run.end;
	}
	roots->mark->numbers = numbers;
}

/* The same for any piece of the address space. */
static void mark_memory(struct roots *roots, uint64_t start, uint64_t end)
{
	while (start < end) {
		const struct map *map = maps_find(&roots->image->maps, start);
		if (!map)
			return;
		if (map->flags & MAP_READ)
			mark_mapping(roots, map, start, MIN_OF(end, map->end));
		start = map->end;
	}
}

/* -- threads --------------------------------------------------------------- */

static void leave_out(struct roots *roots, uint64_t start, uint64_t end)
{
	ranges_add(&roots->left_out, start, end);
}

/* The stack that libc gave a thread; for the main one the kernel's. */
static struct range own_stack(const struct image *image, uint64_t sp, uint64_t pointer)
{
	struct range stack;
	if (stack_of_pointer(&image->maps, pointer, &stack))
		return stack;
	const struct map *map = maps_find(&image->maps, sp);
	if (map && map->flags & MAP_MAIN_STACK)
		return (struct range){ map->start, map->end };
	return (struct range){ 0, 0 };
}

/*
 * A thread that runs on its own stack has nothing below its stack pointer. One that runs elsewhere (a
 * signal's alternate stack, a coroutine) may go back to any place of its own.
 */
static void add_thread(struct roots *roots, uint64_t sp, uint64_t pointer)
{
	const struct image *image = roots->image;
	struct range stack = own_stack(image, sp, pointer);
	uint64_t from = sp - RED_ZONE;
	if (image->extents) {
		extents_reach(image->extents, sp);
		extents_reach(image->extents, pointer);
	}
	if (sp >= stack.start && sp < stack.end) {
		from = MAX_OF(from, stack.start);
		mark_memory(roots, from, stack.end);
		leave_out(roots, stack.start, stack.end);
		return;
	}
	mark_memory(roots, stack.start, stack.end);
	const struct map *map = maps_find(&image->maps, sp);
	if (blocks_find(&image->blocks, sp) != BLOCK_NONE)
		mark_word(roots->mark, sp);
	else if (map)
		mark_memory(roots, MAX_OF(from, map->start), map->end);
}

/* What exit() is long, and what lies below its frame: the registers that it has saved for its caller. */
#define EXIT_BYTES ((uint64_t)128)
#define EXIT_SAVED ((uint64_t)48)
#define EXIT_DEPTH_MOST ((uint64_t)64 * 1024)

/*
 * Where the program's frames begin that lie above the exiting thread's. Between them and our destructor are those of
 * libc and of the loader, in whose unused places old pointers of the program's lie: what main had on its stack before it
 * returned. The first word that is a return address into exit() marks the end of these.
 */
static uint64_t program_sp(const struct image *image, const struct scan_caller *caller)
{
	const struct map *map = maps_find(&image->maps, caller->sp);
	if (!caller->exit || !map || !(map->flags & MAP_READ))
		return caller->sp;
	uint64_t end = MIN_OF(map->end, caller->sp + EXIT_DEPTH_MOST);
	for (uint64_t at = (caller->sp + 7) & ~UINT64_C(7); at + 8 <= end; at += 8)
		if (*(const uint64_t *)at - caller->exit - 1 < EXIT_BYTES)
			return MAX_OF(caller->sp, at - EXIT_SAVED);
	return caller->sp;
}

/* One that may be an orphan counts as far as anybody else can use what is its own. */
static void add_stopped(struct roots *roots, uint64_t number)
{
	const struct image *image = roots->image;
	const struct stop_thread *thread = &image->stop->threads[number];
	struct range kept;
	if (orphans_hold_back(image->orphans, number, &kept)) {
		struct range stack = own_stack(image, thread->sp, thread->pointer);
		mark_memory(roots, kept.start, kept.end);
		leave_out(roots, stack.start, stack.end);
		return;
	}
	mark_words(roots->mark, image->stop->registers + number * STOP_WORDS, thread->words, MARK_OF_PROGRAM);
	add_thread(roots, thread->sp, thread->pointer);
}

static void add_threads(struct roots *roots)
{
	const struct image *image = roots->image;
	/* A loop that is at work may have nothing but the place where it is. */
	mark_accepts *accepts = roots->mark->accepts;
	roots->mark->accepts = NULL;
	const struct scan_caller *caller = image->caller;
	if (caller) {
		mark_words(roots->mark, caller->registers, COUNT_OF(caller->registers), MARK_OF_PROGRAM);
		add_thread(roots, program_sp(image, caller) + RED_ZONE, caller->pointer);
	}
	for (uint64_t i = 0; image->stop && i < image->stop->count; i++)
		if (image->stop->threads[i].words)
			add_stopped(roots, i);
	stack_t alternate = { 0 };
	if (caller && sys_call2(SYS_sigaltstack, NULL, &alternate) == 0)
		mark_word(roots->mark, (uint64_t)alternate.ss_sp);
	/*
	 * The argument of a thread on its way is nowhere but in its slot. The slot as it is now: the snapshot was
	 * taken while threads ran on.
	 */
	const struct rec_thread *slot;
	for (uint32_t i = 0; (slot = view_thread(image->snapshot->view, i)); i++)
		if (__atomic_load_n((const uint32_t *)&slot->state, __ATOMIC_RELAXED) == THREAD_STARTING)
			mark_word(roots->mark, slot->argument);
	roots->mark->accepts = accepts;
}

/*
 * What threads keep in the library's own variables. Their stacks for signals; and blocks on their way through realloc, which no
 * table knows meanwhile: what they hold is not lost. The latter only where threads were stopped or copied in the middle of anything.
 */
static void add_variables(struct roots *roots)
{
	uint64_t own;
	__asm__("mov %%fs:0, %0" : "=r"(own));
	const struct rec_thread *slot;
	for (uint32_t i = 0; (slot = view_thread(roots->image->snapshot->view, i)); i++) {
		struct self_state state = { 0 };
		struct iovec to = { &state, sizeof state };
		struct iovec from = { (void *)(slot->tls + (uint64_t)(uintptr_t)&self - own), sizeof state };
		if (!slot->tls ||
		    __atomic_load_n((const uint32_t *)&slot->state, __ATOMIC_RELAXED) != THREAD_RUNNING)
			continue;
		long got = sys_call6(SYS_process_vm_readv, sys_pid(), (long)&to, 1, (long)&from, 1, 0);
		if (got != (long)sizeof state)
			continue;
		mark_word(roots->mark, state.signal_stack);
		if (!roots->image->caller && state.moving)
			mark_memory(roots, state.moving, state.moving + state.moving_bytes);
	}
}

static bool is_live(const struct image *image, uint64_t pointer)
{
	if (image->caller && image->caller->pointer == pointer)
		return true;
	for (uint64_t i = 0; image->stop && i < image->stop->count; i++)
		if (image->stop->threads[i].words && image->stop->threads[i].pointer == pointer)
			return true;
	return false;
}

/* An ended thread that may still be joined: its control block holds what it returned. */
static bool is_joinable(const struct image *image, uint64_t pthread)
{
	for (uint32_t i = 0; i < image->snapshot->thread_count; i++) {
		const struct snap_thread *thread = &image->snapshot->threads[i];
		if (thread->pthread == pthread && thread->state == THREAD_ENDED &&
		    !(thread->flags & (THREAD_JOINED | THREAD_DETACHED)))
			return true;
	}
	return false;
}

static void stack_found(uint64_t pointer, const struct range *stack, void *data)
{
	struct roots *roots = data;
	const struct map *map = maps_find(&roots->image->maps, pointer);
	/* libc puts a guard below the stacks that it makes, so such a mapping begins with the stack. */
	if (is_live(roots->image, pointer) || map->start < stack->start)
		return;
	if (is_joinable(roots->image, pointer))
		mark_memory(roots, pointer, stack->end);
	leave_out(roots, map->start, MIN_OF(stack->end, map->end));
}

static bool is_anonymous(const struct map *map)
{
	return (map->flags & (MAP_READ | MAP_WRITE | MAP_IS_SHARED | MAP_OF_FILE | MAP_OF_KERNEL |
			      MAP_MAIN_STACK)) == (MAP_READ | MAP_WRITE);
}

/*
 * Stacks of ended threads. Where not every live thread is known, there is no telling which are those;
 * where the page map can't be read, looking for them is not safe.
 */
static void leave_out_ended(struct roots *roots)
{
	struct image *image = roots->image;
	if (!image->threads_known || image->pages.fd < 0 ||
	    image->snapshot->view->header->threads_started <= 1)
		return;
	for (uint64_t i = 0; i < image->maps.count; i++)
		if (is_anonymous(&image->maps.at[i]))
			stacks_each(&image->maps, &image->maps.at[i], &image->pages, stack_found, roots);
}

/* -- the rest -------------------------------------------------------------- */

static bool own_pages(uint64_t start, uint64_t end, void *data)
{
	leave_out(data, start, end);
	return true;
}

static void leave_out_block(uint64_t start, uint64_t end, void *data)
{
	leave_out(data, start, end);
}

static void leave_out_heap(struct roots *roots)
{
	const struct image *image = roots->image;
	pools_each_outside(image, leave_out_block, roots);
	if (!image->heap_partial) {
		for (uint64_t i = 0; i < image->heap.count; i++)
			leave_out(roots, image->heap.at[i].start, image->heap.at[i].end);
		foreign_heap_each(leave_out_block, roots);
		return;
	}
	/* Between the blocks that are known lie live ones that are not. */
	for (struct block_walk walk = { 0 }; blocks_next(&image->blocks, &walk);) {
		struct block block = blocks_look(&image->blocks, walk.start);
		leave_out(roots, block.start, block.start + block_extent(&block));
	}
}

static void mark_mappings(struct roots *roots)
{
	const struct image *image = roots->image;
	for (uint64_t i = 0; i < image->maps.count && !roots->mark->expired; i++) {
		const struct map *map = &image->maps.at[i];
		bool shared_unwritable = (map->flags & (MAP_IS_SHARED | MAP_WRITE)) == MAP_IS_SHARED;
		if (!(map->flags & MAP_READ) || map->flags & MAP_OF_KERNEL || shared_unwritable)
			continue;
		struct range gap;
		uint64_t from = map->start;
		while (ranges_gap(&roots->left_out, &from, map->end, &gap))
			mark_mapping(roots, map, gap.start, gap.end);
	}
}

/* In libc's data the addresses of streams do not count: these three variables may be the program's pointers. */
static void mark_standard_streams(struct roots *roots)
{
	uint64_t streams[] = { (uint64_t)stdin, (uint64_t)stdout, (uint64_t)stderr };
	mark_words(roots->mark, streams, COUNT_OF(streams), MARK_OF_PROGRAM);
}

/* The roots alone. Return: 0 or -ENOMEM. */
static int mark_roots(struct image *image, struct mark *mark)
{
	struct roots roots = { .image = image, .mark = mark };
	roots.bounce = memory_array(BOUNCE_BYTES, 1);
	if (!roots.bounce)
		return -ENOMEM;
	leave_out(&roots, image->shim.start, image->shim.end);
	leave_out(&roots, image->recording.start, image->recording.end);
	for (unsigned i = 0; i < COUNT_OF(image->shared); i++)
		leave_out(&roots, image->shared[i].start, image->shared[i].end);
	sys_pages_each(own_pages, &roots);
	leave_out_heap(&roots);
	for (uint64_t i = 0; image->extents && i < image->extents->count; i++)
		leave_out(&roots, image->extents->at[i].start, image->extents->at[i].end);
	add_threads(&roots);
	add_variables(&roots);
	leave_out_ended(&roots);
	ranges_sort(&roots.left_out);
	mark_mappings(&roots);
	mark_standard_streams(&roots);
	polled_mark(mark, image->process);
	timers_mark(mark, image->process);
	for (uint64_t i = 0; i < image->blocks.noted_count; i++)
		if (image->blocks.noted[i].flags & BLOCK_ROOT)
			mark_word(mark, image->blocks.noted[i].start);
	bool failed = roots.left_out.failed;
	ranges_release(&roots.left_out);
	memory_free(roots.bounce, BOUNCE_BYTES, 1);
	return failed ? -ENOMEM : 0;
}

int roots_mark(struct image *image, struct mark *mark)
{
	int error = mark_roots(image, mark);
	mark_run(mark);
	return error;
}

void roots_mark_thread(struct image *image, struct mark *mark, uint64_t stop)
{
	struct roots roots = { .image = image, .mark = mark };
	roots.bounce = memory_array(BOUNCE_BYTES, 1);
	if (!roots.bounce) {
		mark->expired = true; /* nothing may be concluded */
		return;
	}
	add_stopped(&roots, stop);
	ranges_release(&roots.left_out);
	memory_free(roots.bounce, BOUNCE_BYTES, 1);
}

void roots_read_extent(struct mark *mark, const struct extent *extent, void *image)
{
	struct roots roots = { .image = image, .mark = mark };
	roots.bounce = memory_array(BOUNCE_BYTES, 1);
	if (!roots.bounce) {
		mark->expired = true; /* as above */
		return;
	}
	mark_memory(&roots, extent->start, extent->end);
	memory_free(roots.bounce, BOUNCE_BYTES, 1);
}

bool roots_seek(struct image *image, struct mark *mark, mark_seek *seek, void *data, unsigned but)
{
	const struct blocks *blocks = &image->blocks;
	const struct extents *extents = image->extents;
	mark->seek = seek;
	mark->seek_data = data;
	int error = mark_roots(image, mark);
	for (struct block_walk walk = { 0 }; !error && !mark->expired && blocks_next(blocks, &walk);) {
		if ((blocks_flags(blocks, walk.number) & (BLOCK_REACHED | but)) != BLOCK_REACHED)
			continue;
		struct block_cursor cursor = block_cursor_at(blocks, walk.number, walk.start);
		while (block_cursor_run(blocks, &cursor) && !mark->expired)
			mark_words(mark, cursor.words, cursor.left, MARK_OF_PROGRAM);
	}
	for (uint64_t i = 0; extents && i < extents->count; i++)
		if (extents->at[i].state == EXTENT_READ)
			roots_read_extent(mark, &extents->at[i], image);
	mark->seek = NULL;
	return !error && !mark->expired;
}
