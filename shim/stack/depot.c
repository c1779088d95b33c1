/*
 * Why the depot is safe without a lock.
 *
 * Records are only ever added. One is filled in by its writer, in a piece of the table that is his alone
 * (recording_append gives each piece once), and shown by putting its id at the head of a chain: compare-and-swap
 * with release, so that who loads the head (acquire) sees the whole record and all behind it in the chain. After
 * that nothing of it changes, so readers need no more than that one load.
 *
 * Two threads may write the same stack at once. The second one's compare-and-swap fails, since the head is not the
 * one that he searched from; he searches what came in front of it since, finds the winner's, and takes its
 * id. So a stack has one id, but where the table is full; and the loser's record is in no chain.
 *
 * A chain of the first table is closed by the same compare-and-swap of its head, and nothing is put in front of it after
 * that: who goes on to the second table has searched all that the first will ever hold there.
 *
 * A signal handler that interrupts a writer puts records of its own; the chains do not mind who is where. It does not
 * come in while a table grows (self.busy).
 *
 * Those who read the recording from outside walk the table, not the chains: `count` is stored last (release), and is 0
 * until then.
 *
 * Tested by testprogs/unit/test_concurrent.c, also under ThreadSanitizer.
 */
#include "stack/depot.h"

#include <stdatomic.h>

#include "platform/sys.h"
#include "registry/recording.h"
#include "registry/thread.h"
#include "stack/modules.h"
#include "stack/unwind.h"

/*
 * Two tables. In the first, which is 32 KiB, a chain that has reached FIRST_MOST is closed, and what comes later to its
 * place goes to the second: stacks of a short process touch 8 pages and not one page each.
 */
#define FIRST_BITS 13u
#define FIRST_MOST 2u
#define SECOND_BITS 18u            /* 1 MiB, touched as it fills: with a million stacks a chain has four */
#define CLOSED (UINT32_C(1) << 31) /* in the head of a chain; ids stay below 2^25 */

static stack_id *first, *second;

static stack_id *bucket_of(stack_id **table, unsigned bits, uint64_t hash)
{
	stack_id *all = __atomic_load_n(table, __ATOMIC_ACQUIRE);
	size_t bytes = sizeof *all << bits;
	if (UNLIKELY(!all)) {
		stack_id *made = sys_pages_lazy(bytes);
		if (!made)
			return NULL;
		if (__atomic_compare_exchange_n(table, &all, made, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
			all = made;
		else
			sys_pages_free(made, bytes);
	}
	return &all[hash_mix(hash) >> (64 - bits)];
}

static bool same_frames(const struct rec_stack *stack, const struct unwind_frame *frames, uint32_t count)
{
	uint64_t differ = 0;
	for (uint32_t i = 0; i < count; i++)
		differ |= stack->frames[i] ^ frames[count - 1 - i].pc;
	return !differ;
}

/* Looks through the chain from `from` up to, not including, `until`. */
static stack_id find(stack_id from, stack_id until, const struct unwind_frame *frames, uint32_t count,
		     uint16_t flags, uint64_t hash, uint32_t epoch)
{
	const char *table = recording_table(REC_STACKS);
	for (stack_id id = from; id != until;) {
		const struct rec_stack *stack = (const void *)(table + (uint64_t)id * 8);
		if (stack->hash == hash && stack->count == count && stack->flags == flags &&
		    same_frames(stack, frames, count) &&
		    (LIKELY(stack->epoch == epoch) || modules_same_since(stack->epoch, stack->frames, count)))
			return id;
		id = stack->next;
	}
	return 0;
}

bool depot_holds(stack_id id, const struct unwind_frame *frames, uint32_t count, uint32_t certain,
		 uint16_t flags, uint64_t hash)
{
	const struct rec_stack *stack = recording_stack(id);
	return stack->hash == hash && stack->count == count && stack->flags == flags &&
	       stack->epoch == modules_epoch() && same_frames(stack, &frames[count - certain], certain);
}

static NOINLINE struct rec_stack *add(const struct unwind_frame *frames, uint32_t count, uint16_t flags,
				      uint64_t hash, uint32_t epoch)
{
	/* A table that grows does so under a lock: a signal handler must not come for it on the same thread. */
	self.busy++;
	uint64_t at = recording_append(REC_STACKS, sizeof(struct rec_stack) + (uint64_t)count * 8);
	self.busy--;
	if (at == UINT64_MAX)
		return NULL;
	struct rec_stack *stack = (void *)((char *)recording_table(REC_STACKS) + at);
	stack->hash = hash;
	stack->epoch = epoch;
	stack->flags = flags;
	for (uint32_t i = 0; i < count; i++)
		stack->frames[i] = frames[count - 1 - i].pc;
	/* Last, for those who walk the table: until then it has no frames. */
	__atomic_store_n(&stack->count, (uint16_t)count, __ATOMIC_RELEASE);
	if (flags & STACK_TRUNCATED)
		atomic_fetch_add_explicit(&recording->truncated_stacks, 1, memory_order_relaxed);
	return stack;
}

uint64_t depot_hash_all(const struct unwind_frame *frames, uint32_t count)
{
	uint64_t hash = 0;
	for (uint32_t i = 0; i < count; i++)
		hash = depot_hash(hash, frames[i].pc);
	return hash;
}

static stack_id id_of(const struct rec_stack *stack)
{
	return (stack_id)(((uintptr_t)stack - (uintptr_t)recording_table(REC_STACKS)) / 8);
}

/* Whether the chain is as long as one of the first table may be. Nobody shortens it. */
static bool is_long(stack_id head)
{
	const char *table = recording_table(REC_STACKS);
	for (uint32_t i = 1; head; i++) {
		if (i == FIRST_MOST)
			return true;
		head = ((const struct rec_stack *)(table + (uint64_t)head * 8))->next;
	}
	return false;
}

/*
 * In the first table: the id of the stack, or 0 and the chain is closed, or 0 and `ret_head` is the head of an
 * open chain that does not have it. Closing is a compare-and-swap like putting in front: whoever closes has seen all that
 * the chain will ever hold, so that a stack is not put into both tables.
 */
static stack_id find_first(stack_id *bucket, const struct unwind_frame *frames, uint32_t count,
			   uint16_t flags, uint64_t hash, uint32_t epoch, stack_id *ret_head)
{
	stack_id head = __atomic_load_n(bucket, __ATOMIC_ACQUIRE), until = 0;
	for (;;) {
		stack_id id = find(head & ~CLOSED, until, frames, count, flags, hash, epoch);
		*ret_head = head;
		if (LIKELY(id) || (head & CLOSED) || !is_long(head))
			return id;
		until = head;
		if (__atomic_compare_exchange_n(bucket, &head, head | CLOSED, false, __ATOMIC_ACQ_REL,
						__ATOMIC_ACQUIRE)) {
			*ret_head = until | CLOSED;
			return 0;
		}
	}
}

stack_id depot_put(const struct unwind_frame *frames, uint32_t count, uint16_t flags, uint64_t hash)
{
	uint32_t epoch = modules_epoch();
	stack_id head, id;
	stack_id *bucket = bucket_of(&first, FIRST_BITS, hash);
	if (!bucket)
		return 0;
	struct rec_stack *stack = NULL;
	for (;;) {
		id = find_first(bucket, frames, count, flags, hash, epoch, &head);
		if (LIKELY(id))
			return id;
		if (head & CLOSED)
			break;
		if (!stack && !(stack = add(frames, count, flags, hash, epoch)))
			return 0;
		stack->next = head;
		stack_id mine = id_of(stack);
		if (__atomic_compare_exchange_n(bucket, &head, mine, false, __ATOMIC_RELEASE,
						__ATOMIC_RELAXED))
			return mine;
	}
	bucket = bucket_of(&second, SECOND_BITS, hash);
	if (!bucket)
		return 0;
	stack_id until = 0;
	head = __atomic_load_n(bucket, __ATOMIC_ACQUIRE);
	for (;;) {
		id = find(head, until, frames, count, flags, hash, epoch);
		if (LIKELY(id))
			return id;
		if (!stack && !(stack = add(frames, count, flags, hash, epoch)))
			return 0;
		until = stack->next = head;
		stack_id mine = id_of(stack);
		if (__atomic_compare_exchange_n(bucket, &head, mine, false, __ATOMIC_RELEASE,
						__ATOMIC_ACQUIRE))
			return mine;
	}
}

static void forget(stack_id **table, unsigned bits)
{
	stack_id *old = *table;
	__atomic_store_n(table, NULL, __ATOMIC_RELEASE);
	if (old)
		sys_pages_free(old, sizeof *old << bits);
}

void depot_fork_child(void)
{
	forget(&first, FIRST_BITS);
	forget(&second, SECOND_BITS);
}
