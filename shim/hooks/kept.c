#include "hooks/kept.h"

#include "options.h"
#include "platform/lock.h"
#include "platform/real.h"
#include "platform/sys.h"
#include "registry/allocation.h"

/* No block that is a large part of all by itself. Chosen somewhat arbitrarily. */
#define EACH_MOST ((uint64_t)1 << 20)
#define EACH_MOST_YOUNG (KEPT_YOUNG / 4)

/* Fine enough for a report, and coarse enough for 32 bits: 208 days. */
#define TIME_SHIFT 22

/* How many blocks before its turn one is fetched into the cache. */
#define FETCHED_AHEAD 8u

/* The smallest block with all that is around it, in glibc. */
#define EACH_LEAST 64u

static struct ring {
	struct kept *blocks;
	uint64_t mask;       /* how many there is room for, less 1 */
	uint64_t first, end; /* the oldest, and behind the youngest; never reduced */
	uint64_t bytes;      /* of the blocks in it, with what is around them */
	uint64_t inherited;  /* where those end that a fork parent freed, at stacks that are not known here */
} young, old;
static struct lock lock;
static const char *single; /* libc's word whether there is one thread; NULL: an old one has none */
static bool refused;       /* there is no memory for the rings */
static bool settled;       /* more was freed than is kept */
static uint64_t dice = 1;

static inline uint64_t weight(uint64_t size)
{
	return size + sizeof(struct checked) + GUARD_BYTES;
}

/* With the lock held, as all below. */
static bool make(struct ring *ring, uint64_t bytes)
{
	uint64_t room = 1024;
	while (room < bytes / EACH_LEAST)
		room *= 2;
	ring->blocks = sys_pages_lazy(room * sizeof *ring->blocks);
	ring->mask = room - 1;
	return ring->blocks;
}

static bool ready(void)
{
	if (LIKELY(old.blocks))
		return true;
	if (!refused && (!make(&young, KEPT_YOUNG) || !make(&old, options.check_kept_bytes)))
		refused = true;
	return !refused;
}

static inline bool full(const struct ring *ring)
{
	return ring->end - ring->first > ring->mask;
}

static inline void append(struct ring *ring, const struct kept *block)
{
	ring->blocks[ring->end++ & ring->mask] = *block;
	ring->bytes += weight(block->size);
}

static inline struct kept number(const struct ring *ring, uint64_t at)
{
	struct kept block = ring->blocks[at & ring->mask];
	if (UNLIKELY(at < ring->inherited))
		block.stack = 0, block.thread &= KEPT_WHOLE;
	return block;
}

static inline struct kept take_oldest(struct ring *ring)
{
	struct kept block = number(ring, ring->first++);
	ring->bytes -= weight(block.size);
	return block;
}

bool kept_all(void)
{
	return !__atomic_load_n(&settled, __ATOMIC_RELAXED);
}

bool kept_wanted(uint64_t size)
{
	return LIKELY(size <= EACH_MOST_YOUNG) ||
	       (size <= EACH_MOST && size <= options.check_kept_bytes / 8 && kept_all());
}

nsec_t kept_at(uint32_t time)
{
	return (nsec_t)time << TIME_SHIFT;
}

/* One in KEPT_CHOSEN, in no order that a program could be in step with. */
static bool chosen(void)
{
	dice = dice * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (dice >> 33) % KEPT_CHOSEN == 0;
}

/* It will be looked at, given back and made anew soon; by then the places for that are in the cache. */
static inline void fetch(const struct ring *ring, uint64_t at)
{
	const struct kept *block = &ring->blocks[at & ring->mask];
	const char *header = (const char *)block->header;
	__builtin_prefetch(header);
	__builtin_prefetch(header + sizeof *block->header + block->size);
	allocation_fetch((uintptr_t)header + sizeof *block->header, 0);
}

/* Makes room in the first ring. Return: how many are to be let go for it. */
static unsigned make_room(struct kept ret_gone[KEPT_GONE])
{
	unsigned gone = 0;
	/* What does not fit into ret_gone goes the next times; each time more may go than comes. */
	while ((young.bytes > KEPT_YOUNG || full(&young)) && gone < KEPT_GONE / 2) {
		struct kept leaves = take_oldest(&young);
		if (kept_all() || chosen()) {
			if (full(&old))
				ret_gone[gone++] = take_oldest(&old);
			append(&old, &leaves);
		} else {
			ret_gone[gone++] = leaves;
		}
	}
	while (UNLIKELY(old.bytes + young.bytes > options.check_kept_bytes) && old.first != old.end &&
	       gone < KEPT_GONE) {
		ret_gone[gone++] = take_oldest(&old);
		__atomic_store_n(&settled, true, __ATOMIC_RELAXED);
	}
	return gone;
}

/* Taking the lock is a good part of all, and most programs that are checked this way have one thread. */
static inline bool take(bool *ret_alone)
{
	*ret_alone = single && __atomic_load_n(single, __ATOMIC_RELAXED);
	return LIKELY(*ret_alone) || lock_take(&lock);
}

static inline void release(bool alone)
{
	if (!alone)
		lock_release(&lock);
}

void kept_start(void)
{
	single = real_find("__libc_single_threaded", NULL);
}

unsigned kept_put(struct checked *header, stack_id stack, uint32_t thread, struct kept ret_gone[KEPT_GONE])
{
	const uint32_t time = (uint32_t)(sys_monotonic_coarse() >> TIME_SHIFT);
	bool alone, taken = take(&alone);
	if (UNLIKELY(!taken || !ready())) {
		ret_gone[0] = (struct kept){ header, (uint32_t)header->size, time, stack, thread };
		if (taken)
			release(alone);
		return 1;
	}
	unsigned gone = make_room(ret_gone);
	/* Straight to its place: a copy would be read as a whole while it is still being written piece by piece. */
	struct kept *into = &young.blocks[young.end++ & young.mask];
	into->header = header;
	into->size = (uint32_t)header->size;
	into->time = time;
	into->stack = stack;
	into->thread = thread;
	young.bytes += weight(into->size);
	if (young.end - young.first > FETCHED_AHEAD)
		fetch(&young, young.first + FETCHED_AHEAD);
	release(alone);
	return gone;
}

static void each_of(const struct ring *ring, void (*each)(const struct kept *block, void *data), void *data)
{
	for (uint64_t at = ring->first; at != ring->end; at++) {
		struct kept block = number(ring, at);
		each(&block, data);
	}
}

bool kept_each(void (*each)(const struct kept *block, void *data), void *data)
{
	if (!lock_take(&lock))
		return false;
	each_of(&old, each, data);
	each_of(&young, each, data);
	lock_release(&lock);
	return true;
}

void kept_fork_child(void)
{
	lock.word = 0;
	young.inherited = young.end;
	old.inherited = old.end;
}
