#include "reporter/scan/orphans.h"

#include <elf.h>
#include <linux/futex.h>
#include <sys/user.h>

#include "base/hash.h"
#include "platform/sys.h"
#include "registry/recording.h"
#include "registry/thread.h"
#include "reporter/scan/roots.h"
#include "reporter/scan/stacks.h"
#include "reporter/scan/wakers.h"

/*
 * For how long a thread has to sleep: whoever made it may just be about to publish the object. Where the process talks to others,
 * one of them may have been given the object's address, to send it back with an answer; after this long nobody does.
 */
#define SLEEP_LEAST NSEC_PER_SEC
#define SLEEP_LEAST_OUTSIDE (60 * NSEC_PER_SEC)

/* Leaf functions keep locals below their stack pointer, as far as this. */
#define RED_ZONE ((uint64_t)128)

/* The kernel's marks of a call that a signal or a tracer has interrupted, and that is to begin again. */
#define RESTART_FIRST (-514L)
#define RESTART_LAST (-512L)

static bool is_in(const struct range *range, uint64_t address)
{
	return address - range->start < range->end - range->start;
}

/* -- candidates ------------------------------------------------------------ */

/* In a call that somebody else's call ends, and no lock's: who holds that is known. */
static bool sleeps_for_others(const struct snap_thread *thread)
{
	if (!thread->waiting || thread->torn || thread->wait.timed || thread->state != THREAD_RUNNING)
		return false;
	switch (thread->wait.kind) {
	case KIND_COND:
	case KIND_SEM:
	case KIND_BARRIER:
	case KIND_FUTEX:
	case KIND_WAIT:
		return true;
	default:
		return false;
	}
}

static bool sleeps_long(const struct snapshot *snapshot, const struct snap_thread *thread, nsec_t least)
{
	return thread->wait.since && snapshot->now > thread->wait.since &&
	       snapshot->now - thread->wait.since >= least;
}

static bool is_main(const struct snap_thread *thread)
{
	return thread->id == 1 || thread->tid == recording->pid;
}

bool orphans_possible(const struct snapshot *snapshot)
{
	for (uint32_t i = 0; i < snapshot->thread_count; i++) {
		const struct snap_thread *thread = &snapshot->threads[i];
		if (!is_main(thread) && sleeps_for_others(thread) &&
		    sleeps_long(snapshot, thread, SLEEP_LEAST))
			return true;
	}
	return false;
}

/* The slot as it is in the image: the snapshot is older. */
static bool is_unchanged(const struct image *image, const struct snap_thread *thread)
{
	const struct rec_thread *slot = view_thread(image->snapshot->view, thread->slot);
	return slot && slot->id == thread->id &&
	       __atomic_load_n((const uint32_t *)&slot->changes, __ATOMIC_RELAXED) == thread->changes;
}

/* The futex that a stopped thread sleeps in without an end; 0: it does something else. */
static uint64_t futex_of(const struct image *image, uint64_t stop)
{
	const struct user_regs_struct *registers =
	    (const struct user_regs_struct *)(image->stop->registers + stop * STOP_WORDS);
	unsigned command = (unsigned)registers->rsi & FUTEX_CMD_MASK;
	long result = (long)registers->rax;
	if (registers->orig_rax != SYS_futex || result < RESTART_FIRST || result > RESTART_LAST ||
	    registers->r10)
		return 0;
	return command == FUTEX_WAIT || command == FUTEX_WAIT_BITSET ? registers->rdi : 0;
}

/* What runs on the thread while it sleeps may use its thread-local storage, or get it out of there. */
static bool survives_handlers(const struct wakers *wakers, const struct snap_thread *thread,
			      struct candidate *candidate)
{
	enum handled handled = wakers_of_thread(recording->pid, thread->tid);
	if (handled == HANDLED_NEVER)
		return true;
	bool begins_again = thread->wait.kind == KIND_COND || thread->wait.kind == KIND_BARRIER;
	if (wakers->jump || (handled == HANDLED_ENDED && !begins_again))
		return false;
	if (candidate->frames.end == candidate->pointer)
		return false; /* which part of the stack is what can't be told */
	candidate->kept.start = candidate->frames.end;
	return true;
}

/* libc's instructions, by the program headers that are mapped with it; empty: they can't be read. */
static struct range libc_code(const struct image *image)
{
	const Elf64_Ehdr *head = (const Elf64_Ehdr *)image->libc.start;
	struct range piece;
	if (!head || !ranges_next(&image->readable, image->libc.start, image->libc.end, &piece) ||
	    piece.start != image->libc.start || piece.end - piece.start < PAGE_BYTES ||
	    head->e_phoff + (uint64_t)head->e_phnum * sizeof(Elf64_Phdr) > PAGE_BYTES)
		return (struct range){ 0, 0 };
	const Elf64_Phdr *at = (const Elf64_Phdr *)(image->libc.start + head->e_phoff);
	for (unsigned i = 0; i < head->e_phnum; i++)
		if (at[i].p_type == PT_LOAD && at[i].p_flags & PF_X)
			return (struct range){ image->libc.start + at[i].p_vaddr,
					       image->libc.start + at[i].p_vaddr + at[i].p_memsz };
	return (struct range){ 0, 0 };
}

/*
 * Where the program's frames begin that lie below libc's: the second return address into libc, seen from the thread's pointer, is that
 * of the routine that libc has called. What lies above is libc's frame and thread-local storage. Return: `pointer`: it can't
 * be told.
 */
static uint64_t frames_top(const struct image *image, uint64_t sp, uint64_t pointer)
{
	const struct range code = libc_code(image);
	unsigned seen = 0;
	for (uint64_t at = pointer & ~UINT64_C(7); at - 8 >= sp; at -= 8) {
		if (is_in(&code, *(const uint64_t *)(at - 8)) && ++seen == 2)
			return at;
	}
	return pointer;
}

/* Whether the thread may be an orphan, by itself; nothing is marked yet. */
static bool consider(const struct image *image, const struct wakers *wakers, uint64_t stop,
		     const struct snap_thread *thread, struct orphan *orphan, struct candidate *candidate)
{
	const struct stop_thread *held = &image->stop->threads[stop];
	nsec_t least = image->channels == CHANNELS_NONE ? SLEEP_LEAST : SLEEP_LEAST_OUTSIDE;
	uint64_t word = futex_of(image, stop);
	struct range stack;
	if (!word || is_main(thread) || !sleeps_for_others(thread) ||
	    !sleeps_long(image->snapshot, thread, least) || !is_unchanged(image, thread))
		return false;
	uint64_t start;
	uint32_t block = blocks_find_start(&image->blocks, word, &start);
	const struct map *map = maps_find(&image->maps, word);
	if (block == BLOCK_NONE || !map || map->flags & MAP_IS_SHARED)
		return false;
	/* A stack of the program's own, or one that it has left for another, could be anybody's. */
	if (!stack_of_pointer(&image->maps, held->pointer, &stack) || held->sp < stack.start + RED_ZONE ||
	    held->sp >= held->pointer || blocks_find(&image->blocks, held->sp) != BLOCK_NONE)
		return false;
	const struct block of = blocks_look(&image->blocks, start);
	*orphan = (struct orphan){
		.thread = thread->id, .changes = thread->changes, .word = word, .site = of.site
	};
	*candidate = (struct candidate){
		.stop = stop,
		.block = block,
		.object = { of.start, of.start + block_reach(&of) },
		.frames = { held->sp - RED_ZONE, frames_top(image, held->sp, held->pointer) },
		.kept = { stack.end, stack.end },
		.pointer = held->pointer,
		.cancelled = wakers->cancel,
	};
	return survives_handlers(wakers, thread, candidate);
}

static void widen(struct range *range, const struct range *by)
{
	if (!range->end)
		*range = *by;
	range->start = MIN_OF(range->start, by->start);
	range->end = MAX_OF(range->end, by->end);
}

static void measure(struct orphans *orphans)
{
	orphans->objects = orphans->frames = (struct range){ 0, 0 };
	for (uint32_t i = 0; i < orphans->candidate_count; i++) {
		const struct candidate *candidate = &orphans->candidates[i];
		if (candidate->alive)
			continue;
		widen(&orphans->objects, &candidate->object);
		widen(&orphans->frames, &candidate->frames);
		if (candidate->cancelled)
			widen(&orphans->frames,
			      &(struct range){ candidate->pointer, candidate->pointer + 1 });
	}
}

void orphans_choose(struct orphans *orphans, const struct image *image)
{
	orphans->count = orphans->candidate_count = 0;
	if (!image->stop || !image->threads_known || image->caller || image->channels == CHANNELS_UNKNOWN ||
	    image->channels == CHANNELS_FULL)
		return;
	struct wakers wakers;
	wakers_find(image, &wakers);
	if (wakers.unknown)
		return;
	uint32_t count = 0;
	for (uint64_t i = 0; i < image->stop->count; i++) {
		const struct stop_thread *held = &image->stop->threads[i];
		const struct snap_thread *thread = snapshot_thread_by_tid(image->snapshot, held->tid);
		if (!held->words)
			continue;
		/* Not made by libc, perhaps: nobody knows what ends with it. */
		if (!thread)
			return;
		if (count < ORPHANS_MOST &&
		    consider(image, &wakers, i, thread, &orphans->found[count], &orphans->candidates[count]))
			count++;
	}
	orphans->candidate_count = count;
}

bool orphans_hold_back(const struct orphans *orphans, uint64_t stop, struct range *ret_kept)
{
	for (uint32_t i = 0; orphans && i < orphans->candidate_count; i++)
		if (orphans->candidates[i].stop == stop && !orphans->candidates[i].alive) {
			*ret_kept = orphans->candidates[i].kept;
			return true;
		}
	return false;
}

/* -- who could reach them -------------------------------------------------- */

/* Addresses have no more; what stands above may be a tag, or a count. */
#define ADDRESS_BITS 48u
#define ADDRESS_MASK ((UINT64_C(1) << ADDRESS_BITS) - 1)

/*
 * What the tracker and libc note of a thread in its own storage: places in its frames, such as the cleanup handlers
 * that are open. But for values of keys, which a handler may look up: each stands behind its key's number of uses, which is odd.
 */
static bool is_note(const struct candidate *candidate, uint64_t place)
{
	uint64_t own;
	__asm__("mov %%fs:0, %0" : "=r"(own));
	if (place - (candidate->pointer + ((uint64_t)(uintptr_t)&self - own)) < sizeof self)
		return true;
	if (place <= candidate->pointer || place - candidate->pointer >= CONTROL_BLOCK_BYTES)
		return false;
	uint64_t before = ((const uint64_t *)place)[-1];
	return before % 2 == 0 || before > UINT32_MAX;
}

static void found_pointer(struct mark *mark, uint64_t place, uint64_t address, enum mark_of of)
{
	struct orphans *orphans = mark->seek_data;
	for (uint32_t i = 0; i < orphans->candidate_count; i++) {
		struct candidate *candidate = &orphans->candidates[i];
		if ((is_in(&candidate->object, address) &&
		     !mark_is_bookkeeping(mark->blocks, candidate->block, candidate->object.start, address,
					  of)) ||
		    (is_in(&candidate->frames, address) && !is_note(candidate, place)) ||
		    (candidate->cancelled && address == candidate->pointer))
			candidate->alive = true;
	}
}

static inline void seek_address(struct mark *mark, const uint64_t *place, uint64_t address, enum mark_of of)
{
	const struct orphans *orphans = mark->seek_data;
	if (UNLIKELY(is_in(&orphans->objects, address) || is_in(&orphans->frames, address)))
		found_pointer(mark, (uint64_t)(uintptr_t)place, address, of);
}

/* Packed structures have pointers at any byte. */
static void seek_words(struct mark *mark, const uint64_t *words, uint64_t count, enum mark_of of)
{
	for (uint64_t i = 0; i < count; i++) {
		uint64_t word = words[i], next = i + 1 < count ? words[i + 1] : 0;
		seek_address(mark, &words[i], word & ADDRESS_MASK, of);
		for (unsigned shift = 8; shift < 64; shift += 8)
			seek_address(mark, &words[i], (word >> shift | next << (64 - shift)) & ADDRESS_MASK,
				     of);
		if (UNLIKELY(mark->mask))
			seek_address(mark, &words[i], (word & mark->mask) ^ mark->exclusive, of);
	}
}

/*
 * Goes through all that is alive once more, for any trace of the candidates. What the loader has for itself (where each thread's
 * storage is) wakes nobody. Return: whether it was all.
 */
static bool seek(struct orphans *orphans, struct image *image, struct mark *mark)
{
	measure(orphans);
	return roots_seek(image, mark, seek_words, orphans, BLOCK_ROOT);
}

/* -- the fixpoint ---------------------------------------------------------- */

static bool is_left(const struct orphans *orphans)
{
	for (uint32_t i = 0; i < orphans->candidate_count; i++)
		if (!orphans->candidates[i].alive)
			return true;
	return false;
}

static void admit(struct orphans *orphans, uint32_t number, struct image *image, struct mark *mark)
{
	orphans->candidates[number].alive = true;
	roots_mark_thread(image, mark, orphans->candidates[number].stop);
	mark_run(mark);
}

/* Whose objects are reached are alive, and so are those whose objects these reach. */
static void admit_reached(struct orphans *orphans, struct image *image, struct mark *mark)
{
	for (bool again = true; again && !mark->expired;) {
		again = false;
		for (uint32_t i = 0; i < orphans->candidate_count; i++) {
			const struct candidate *candidate = &orphans->candidates[i];
			if (candidate->alive ||
			    !(blocks_flags(&image->blocks, candidate->block) & BLOCK_REACHED))
				continue;
			admit(orphans, i, image, mark);
			again = true;
		}
	}
}

static void settle(struct orphans *orphans, struct image *image, struct mark *mark)
{
	for (;;) {
		bool alive[ORPHANS_MOST] = { false }, again = false;
		admit_reached(orphans, image, mark);
		if (!is_left(orphans))
			return;
		for (uint32_t i = 0; i < orphans->candidate_count; i++)
			alive[i] = orphans->candidates[i].alive;
		bool whole = seek(orphans, image, mark);
		for (uint32_t i = 0; i < orphans->candidate_count; i++) {
			if (alive[i] || (whole && !orphans->candidates[i].alive))
				continue;
			admit(orphans, i, image, mark);
			again = true;
		}
		if (!again)
			return;
	}
}

static bool was_one(const struct orphans *before, const struct orphan *orphan)
{
	for (uint32_t i = 0; i < before->count; i++)
		if (before->found[i].thread == orphan->thread && before->found[i].word == orphan->word &&
		    before->found[i].changes == orphan->changes)
			return true;
	return false;
}

void orphans_settle(struct orphans *orphans, struct image *image, struct mark *mark,
		    const struct orphans *before)
{
	settle(orphans, image, mark);
	mark->count_bytes = true;
	uint32_t count = 0;
	for (uint32_t i = 0; i < orphans->candidate_count; i++) {
		if (orphans->candidates[i].alive)
			continue;
		struct orphan orphan = orphans->found[i];
		uint64_t reached = mark->reached_bytes;
		admit(orphans, i, image, mark);
		orphan.bytes = mark->reached_bytes - reached;
		if (!before || was_one(before, &orphan))
			orphans->found[count++] = orphan;
	}
	mark->count_bytes = false;
	orphans->count = mark->expired ? 0 : count;
}

/* -- findings -------------------------------------------------------------- */

#define ITEMS_EACH 2u

/* The thread, if it still sleeps as it did in the image; NULL: it does not. */
static const struct snap_thread *thread_of(const struct snapshot *snapshot, const struct orphan *orphan)
{
	const struct snap_thread *thread = snapshot_thread(snapshot, orphan->thread);
	return thread && thread->changes == orphan->changes && sleeps_for_others(thread) ? thread : NULL;
}

static uint64_t key_of(const struct snap_thread *thread)
{
	return hash_add(hash_add(FINDING_orphan_thread, thread->wait.stack), thread->created_stack);
}

static void add_thread(struct finding *finding, const struct snap_thread *thread, uint32_t room)
{
	struct finding_item *item = finding_add(finding, ROLE_blocked, room);
	finding_item_thread(item, thread);
	finding_item_wait(item, &thread->wait);
	item->flags |= ITEM_SUBJECT;
	item = finding_add(finding, ROLE_created, room);
	finding_item_thread(item, thread);
	item->stack = thread->created_stack;
	item->since = thread->started;
}

void orphans_report(const struct orphans *orphans, const struct snapshot *snapshot, uint32_t flags,
		    struct finding_list *list)
{
	bool told[ORPHANS_MOST] = { false };
	for (uint32_t i = 0; i < orphans->count; i++) {
		const struct snap_thread *thread = thread_of(snapshot, &orphans->found[i]);
		const uint32_t room = ITEMS_EACH * orphans->count + 1;
		if (!thread || told[i])
			continue;
		struct finding *finding = finding_begin(list, FINDING_orphan_thread, snapshot, room);
		if (!finding)
			return;
		finding->key = finding->witness = key_of(thread);
		finding->flags = flags;
		finding->thread = thread->id;
		finding->since = thread->wait.since;
		for (uint32_t j = i; j < orphans->count; j++) {
			const struct snap_thread *other = thread_of(snapshot, &orphans->found[j]);
			if (!other || key_of(other) != finding->key)
				continue;
			told[j] = true;
			finding->count++;
			finding->amount += orphans->found[j].bytes;
			finding->since = MIN_OF(finding->since, other->wait.since);
			add_thread(finding, other, room);
		}
		const struct rec_site *site = view_site(snapshot->view, orphans->found[i].site);
		struct finding_item *item = site ? finding_add(finding, ROLE_allocated, room) : NULL;
		if (item)
			item->stack = site->stack;
	}
}
