#include "registry/stack_depth.h"

#include <sys/resource.h>

#include "options.h"
#include "platform/process.h"
#include "platform/sys.h"
#include "registry/misuse.h"
#include "registry/recording.h"
#include "registry/thread.h"
#include "stack/memory.h"
#include "stack/remains.h"

#define PAGE MEMORY_PAGE

/* Stack that our hooks may have used at the deepest place; captures take 512 bytes, the first events of a thread more. */
#define OWN_BYTES UINT64_C(4096)

/* Of a stack that is larger than most programs' memory, this much at the end is looked at. */
#define PART_MOST (UINT64_C(8) << 20)

/*
 * From this size on libc gives the deeper part of a stack back to the kernel before another thread can get it: what
 * it leaves is 16 KiB below where the thread ended, which is near the upper end.
 */
#define EMPTIED_BYTES (UINT64_C(128) << 10)

#define LOOKS_A_TICK 32u
#define PIECE_PAGES 256u
#define PIECE_WORDS 64u

/* A range of addresses of which the lower end is where the stack ends. */
struct part {
	uint64_t low, high;
};

/* Places that have been told of, as a hash: more threads from there are not looked at. */
static uint64_t told[64];
#define TOLD_BITS (COUNT_OF(told) * 64)

static bool is_told(stack_id created)
{
	unsigned bit = created % TOLD_BITS;
	return __atomic_load_n(&told[bit / 64], __ATOMIC_RELAXED) >> bit % 64 & 1;
}

/* Return: whether it was told already. */
static bool set_told(stack_id created)
{
	unsigned bit = created % TOLD_BITS;
	uint64_t mask = (uint64_t)1 << bit % 64;
	return __atomic_fetch_or(&told[bit / 64], mask, __ATOMIC_RELAXED) & mask;
}

static bool is_wanted(void)
{
	return options.stack_depth && !sys_sandboxed;
}

/* How much at the end of a stack of `bytes` has to stay unused; 0: it is too small to be judged. */
static uint64_t spare_of(uint64_t bytes)
{
	uint64_t spare = bytes / 100 * (100 - options.stack_depth);
	return spare > OWN_BYTES ? MIN_OF(spare - OWN_BYTES, PART_MOST) : 0;
}

static struct part part_of(uint64_t low, uint64_t high)
{
	return (struct part){ .low = low, .high = low + spare_of(high - low) };
}

/* The first word from `from` to below `to` that is not zero; 0: none, or it can't be read. */
static uint64_t first_used_word(uint64_t from, uint64_t to)
{
	uint64_t words[PIECE_WORDS];
	for (uint64_t count; (count = MIN_OF((to - from) / sizeof *words, (uint64_t)PIECE_WORDS));
	     from += count * sizeof *words) {
		if (!memory_copy(words, from, count * sizeof *words))
			return 0;
		for (unsigned i = 0; i < count; i++)
			if (words[i])
				return from + i * sizeof *words;
	}
	return 0;
}

/* The lowest address in the part that something was written to; 0: none. Pages that are not there stay so. */
static uint64_t first_used(const struct part *part)
{
	uint8_t pages[PIECE_PAGES] = { 0 }; /* the kernel fills it; analyzers don't know */
	uint64_t end = (part->high + PAGE - 1) & ~(PAGE - 1);
	for (uint64_t at = part->low & ~(PAGE - 1); at < end; at += PIECE_PAGES * PAGE) {
		uint64_t count = MIN_OF((end - at) / PAGE, (uint64_t)PIECE_PAGES);
		if (sys_call3(SYS_mincore, at, count * PAGE, pages) != 0)
			return 0;
		for (uint64_t i = 0; i < count; i++) {
			uint64_t from = MAX_OF(at + i * PAGE, part->low);
			uint64_t to = MIN_OF(at + (i + 1) * PAGE, part->high);
			uint64_t used = pages[i] & 1 ? first_used_word((from + 7) & ~UINT64_C(7), to) : 0;
			if (used)
				return used;
		}
	}
	return 0;
}

static void tell(const struct rec_thread *slot, uint64_t low, uint64_t high, uint64_t used)
{
	struct rec_misuse what = {
		.kind = MISUSE_stack_depth,
		.amount = high - low,
		.offset = (int32_t)(used - low),
		.parts[0] = { .at = sys_monotonic_coarse(),
			      .stack = stack_of_remains(used, high),
			      .thread = slot ? slot->id : 1,
			      .thread_name = slot ? recording_text(slot->name) : 0 },
	};
	if (slot && slot->created_stack)
		what.parts[1] = (struct rec_misuse_part){ .at = slot->started,
							  .stack = slot->created_stack,
							  .thread = slot->id,
							  .thread_name = what.parts[0].thread_name };
	misuse_note(&what);
}

/* -- threads ------------------------------------------------------------------ */

/*
 * Whether the stack ends at `low`. libc may have taken a larger one than was asked for, that was left over: then
 * there is more of it below. And where the size is no whole number of pages, it may be a page less.
 */
static bool ends_at(const struct rec_thread *slot, uint64_t *low)
{
	if (slot->flags & THREAD_STACK_GIVEN)
		return true;
	if (!memory_readable(*low))
		*low += PAGE;
	return memory_readable(*low) && !memory_readable(*low - PAGE);
}

static bool is_judged(const struct rec_thread *slot)
{
	return slot->stack_high && (slot->flags & THREAD_STACK_CLEAN) && !is_told(slot->created_stack);
}

void stack_depth_thread_begin(struct rec_thread *slot)
{
	if (!is_wanted() || !slot->stack_bytes)
		return;
	uint64_t low = slot->stack_low, high = low + slot->stack_bytes;
	if (!(slot->flags & THREAD_STACK_GIVEN)) {
		/* libc keeps what it knows of a thread in its last page. */
		high = (slot->tls + PAGE - 1) & ~(PAGE - 1);
		low = high - ((slot->stack_bytes + PAGE - 1) & ~(PAGE - 1));
	}
	struct part part = part_of(low, high);
	uint64_t here = (uintptr_t)__builtin_frame_address(0);
	if (part.high == part.low || here < part.high || here >= high)
		return;
	thread_write_begin(slot);
	slot->stack_low = low;
	slot->stack_high = high;
	thread_write_end(slot);
	bool emptied = !(slot->flags & THREAD_STACK_GIVEN) && high - low >= EMPTIED_BYTES;
	if (emptied || !first_used(&part))
		atomic_fetch_or_explicit(&slot->flags, THREAD_STACK_CLEAN, memory_order_relaxed);
}

void stack_depth_thread_end(struct rec_thread *slot)
{
	if (!is_wanted() || !is_judged(slot))
		return;
	uint64_t low = slot->stack_low, high = slot->stack_high;
	struct part part = part_of(low, high);
	uint64_t used = first_used(&part);
	if (used && ends_at(slot, &low) && used >= low && used < part_of(low, high).high &&
	    !set_told(slot->created_stack))
		tell(slot, low, high, used);
}

/*
 * The same from outside. The thread may come to its end meanwhile, and its memory be another's: it says that it has
 * ended before it gives that back, so what was read while it had not is its own.
 */
static void look_at(const struct rec_thread *slot)
{
	uint32_t id = slot->id;
	if (atomic_load_explicit(&slot->state, memory_order_acquire) != THREAD_RUNNING || !is_judged(slot))
		return;
	uint64_t low = slot->stack_low, high = slot->stack_high;
	struct part part = part_of(low, high);
	uint64_t used = first_used(&part);
	bool ends = used && ends_at(slot, &low) && used >= low && used < part_of(low, high).high;
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	if (ends && slot->id == id && slot->stack_high == high &&
	    atomic_load_explicit(&slot->state, memory_order_acquire) == THREAD_RUNNING &&
	    !set_told(slot->created_stack))
		tell(slot, low, high, used);
}

/* -- the main thread ----------------------------------------------------------- */

static uint64_t main_high;  /* 0: unknown */
static uint64_t main_limit; /* as it was when the program started */
static bool main_told;

static uint64_t limit_now(void)
{
	struct rlimit limit = { .rlim_cur = RLIM_INFINITY };
	if (sys_call4(SYS_prlimit64, 0, RLIMIT_STACK, 0, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
		return 0;
	return limit.rlim_cur & ~(PAGE - 1);
}

static bool is_mapped(uint64_t from, uint64_t to)
{
	uint8_t pages[PIECE_PAGES];
	for (uint64_t count; from < to; from += count * PAGE) {
		count = MIN_OF((to - from) / PAGE, (uint64_t)PIECE_PAGES);
		if (sys_call3(SYS_mincore, from, count * PAGE, pages) != 0)
			return false;
	}
	return true;
}

/*
 * The kernel lets that stack grow as it is used, in one piece, up to the limit, and keeps other mappings away from its
 * lower end: where the upper end of the deepest part is not mapped, none of it is. The limit may have been raised,
 * which counts, or lowered, which is for children.
 */
static uint64_t main_used(uint64_t *ret_low)
{
	uint64_t limit = limit_now();
	if (!main_high || !main_limit || !limit)
		return 0;
	limit = MAX_OF(limit, main_limit);
	struct part part = part_of(main_high - limit, main_high);
	uint64_t start = (part.high - 1) & ~(PAGE - 1);
	if (limit >= main_high || part.high == part.low || !is_mapped(start, start + PAGE))
		return 0;
	if (!is_mapped(start, main_high))
		return 0; /* something else lies there */
	while (start > part.low && is_mapped(start - PAGE, start))
		start -= PAGE;
	*ret_low = part.low;
	part.low = start;
	return first_used(&part);
}

static void look_at_main(void)
{
	uint64_t low, used;
	if (main_told || !(used = main_used(&low)))
		return;
	main_told = true;
	const struct view *view = recording_view();
	const struct rec_thread *slot = NULL;
	uint32_t slots = view_thread_slots(view);
	for (uint32_t i = 0; i < slots && !slot; i++)
		if (view_thread(view, i)->id == 1)
			slot = view_thread(view, i);
	tell(slot, low, main_high, used);
}

void stack_depth_start(void)
{
	main_high = process_stack_high();
	main_limit = limit_now();
}

void stack_depth_fork_child(void)
{
	uint64_t low;
	for (unsigned i = 0; i < COUNT_OF(told); i++)
		told[i] = 0;
	main_told = is_wanted() && main_used(&low);
}

/* -- both ------------------------------------------------------------------------ */

static void look(uint32_t most)
{
	static uint32_t next;
	const struct view *view = recording_view();
	uint32_t slots = view_thread_slots(view);
	if (!is_wanted())
		return;
	look_at_main();
	for (uint32_t i = 0; i < MIN_OF(most, slots); i++)
		look_at(view_thread(view, next++ % slots));
}

void stack_depth_look(void)
{
	look(LOOKS_A_TICK);
}

void stack_depth_look_all(void)
{
	look(UINT32_MAX);
}
