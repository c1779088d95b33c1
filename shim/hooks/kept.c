#include "hooks/kept.h"

#include <string.h>

#include "options.h"
#include "platform/lock.h"
#include "platform/sys.h"
#include "registry/sampling.h"
#include "registry/thread.h"

/* No block that is a large part of all by itself. Chosen somewhat arbitrarily. */
#define EACH_MOST ((uint64_t)1 << 20)
#define EACH_MOST_LATER ((uint64_t)64 << 10)

/* Sites are counted by a hash: where two have the same, the second is taken for one that is less rare than it is. */
#define SITES 4096u

/* Fine enough for a report, and coarse enough for 32 bits: 208 days. */
#define TIME_SHIFT 22

/* As many blocks are kept at the most as this goes into check_kept, about. Chosen somewhat arbitrarily. */
#define EACH_LEAST 512u

static struct {
	struct kept *blocks;
	uint64_t mask;       /* how many there is room for, less 1 */
	uint64_t first, end; /* the oldest, and behind the youngest; never reduced */
	uint64_t bytes;      /* of the blocks in it, with what is around them */
	uint64_t inherited;  /* where those end that a fork parent freed, at stacks that are not known here */
} ring;
static struct lock lock;
static bool refused;           /* there is no memory for the ring */
static bool settled;           /* more was freed than is kept */
static uint8_t kept_of[SITES]; /* how many blocks of a site were kept since, up to KEPT_RARE */

_Static_assert(KEPT_RARE <= UINT8_MAX, "they are counted in bytes");

static inline uint64_t weight(uint64_t size)
{
	return size + sizeof(struct checked) + GUARD_BYTES;
}

/* With the lock held, as all of the ring. */
static bool make(void)
{
	uint64_t room = 1024;
	while (room < options.check_kept_bytes / EACH_LEAST)
		room *= 2;
	ring.blocks = sys_pages_lazy(room * sizeof *ring.blocks);
	ring.mask = room - 1;
	return ring.blocks;
}

static bool ready(void)
{
	if (LIKELY(ring.blocks))
		return true;
	if (!refused && !make())
		refused = true;
	return !refused;
}

static inline struct kept number(uint64_t at)
{
	struct kept block = ring.blocks[at & ring.mask];
	if (UNLIKELY(at < ring.inherited))
		block.stack = 0, block.thread &= KEPT_WHOLE;
	return block;
}

bool kept_all(void)
{
	return !__atomic_load_n(&settled, __ATOMIC_RELAXED);
}

static NOINLINE bool rare(uint8_t *kept, uint8_t count)
{
	__atomic_store_n(kept, count + 1, __ATOMIC_RELAXED);
	return true;
}

/* Far from the next run it is not called. */
static NOINLINE bool chosen(void)
{
	if (self.until_kept == 0)
		self.until_kept =
		    KEPT_RUN + (uint32_t)sampling_draw(&self.sample_state, KEPT_RUN * (KEPT_CHOSEN - 1));
	return self.until_kept-- <= KEPT_RUN;
}

bool kept_wanted(uint64_t size, site_id site)
{
	if (UNLIKELY(kept_all()))
		return size <= EACH_MOST && size <= options.check_kept_bytes / 8;
	if (UNLIKELY(size > EACH_MOST_LATER))
		return false;
	uint8_t *kept = &kept_of[(site ? site : size) % SITES];
	uint8_t count = __atomic_load_n(kept, __ATOMIC_RELAXED);
	if (UNLIKELY(count < KEPT_RARE))
		return rare(kept, count);
	if (LIKELY(self.until_kept > KEPT_RUN)) {
		self.until_kept--;
		return false;
	}
	return chosen();
}

nsec_t kept_at(uint32_t time)
{
	return (nsec_t)time << TIME_SHIFT;
}

/* Return: how many are to be let go, so that the youngest may stay. */
static unsigned make_room(struct kept ret_gone[KEPT_GONE])
{
	unsigned gone = 0;
	/* What does not fit into ret_gone goes the next times. */
	while ((ring.bytes > options.check_kept_bytes || ring.end - ring.first > ring.mask) &&
	       gone < KEPT_GONE) {
		ret_gone[gone] = number(ring.first++);
		ring.bytes -= weight(ret_gone[gone++].size);
		__atomic_store_n(&settled, true, __ATOMIC_RELAXED);
	}
	return gone;
}

unsigned kept_put(struct checked *header, uint64_t size, stack_id stack, uint32_t thread,
		  struct kept ret_gone[KEPT_GONE])
{
	const struct kept block = { header, (uint32_t)size, (uint32_t)(sys_monotonic_coarse() >> TIME_SHIFT),
				    stack, thread };
	const bool taken = lock_take(&lock);
	if (UNLIKELY(!taken || !ready())) {
		ret_gone[0] = block;
		if (taken)
			lock_release(&lock);
		return 1;
	}
	unsigned gone = make_room(ret_gone);
	/* In this order: a fork child of another thread may begin at any moment, and goes through what is there. */
	ring.blocks[ring.end & ring.mask] = block;
	__atomic_store_n(&ring.end, ring.end + 1, __ATOMIC_RELEASE);
	ring.bytes += weight(block.size);
	lock_release(&lock);
	return gone;
}

bool kept_each(void (*each)(const struct kept *block, void *data), void *data)
{
	if (!lock_take(&lock))
		return false;
	for (uint64_t at = ring.first; at != ring.end; at++) {
		struct kept block = number(at);
		each(&block, data);
	}
	lock_release(&lock);
	return true;
}

void kept_fork_child(void)
{
	lock.word = 0;
	ring.inherited = ring.end;
	/* Sites have other numbers from here on. */
	if (settled)
		memset(kept_of, 0, sizeof kept_of);
}
