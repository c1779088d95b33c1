#include "registry/release.h"

#include "base/hash.h"
#include "platform/lock.h"
#include "platform/sys.h"
#include "registry/allocation.h"
#include "registry/clock.h"
#include "registry/misuse.h"
#include "registry/recording.h"
#include "stack/stack.h"

/*
 * A place each for a few thousand handles, by hash; the newer takes it. Chosen somewhat arbitrarily: who releases
 * twice mostly does so soon.
 */
#define PLACES 2048u

struct release {
	uint64_t handle;
	text_id sort, name;
	uint8_t kind; /* enum kind; KIND_NONE: the place is free */
	bool sure;    /* acquired once, and seen */
	bool tracked; /* the block at `handle` was one that we know */
	uint16_t opened_op, released_op;
	thread_id opened_by, released_by;
	uint32_t serial; /* of the hold */
	stack_id opened_stack, released_stack;
	nsec_t opened_at, released_at;
};

static struct lock lock;
static struct release *releases; /* PLACES */
static bool some_again;          /* a handle was acquired that was open */

/* Whether everything that has happened to resources in this process is known. */
static bool nothing_missed(void)
{
	return !atomic_load_explicit(&recording->dropped_events, memory_order_relaxed) &&
	       !atomic_load_explicit(&recording->tables[REC_RESOURCES].lost, memory_order_relaxed);
}

static bool is_block(uint64_t handle)
{
	struct allocation block;
	return allocation_exact() && allocation_find((const void *)handle, &block);
}

static struct release *place_of(const struct resource *what)
{
	return &releases[hash_add(hash_add(what->kind, what->sort), what->handle) % PLACES];
}

/* Whether only what has become of the block at `handle` can say that a release is wrong. */
static bool by_block(const struct resource *what)
{
	return what->of_block || kind_has(what->kind, KIND_IS_MEMORY);
}

/* With self.busy held, as below. */
static void remember(const struct resource *what, const struct rec_hold *was)
{
	struct release release = {
		.handle = what->handle,
		.sort = what->sort,
		.name = was->name,
		.kind = (uint8_t)what->kind,
		.sure = !(was->flags & HOLD_AGAIN),
		.tracked =
		    what->of_block ? was->flags & HOLD_IN_BLOCK : by_block(what) && is_block(what->handle),
		.opened_op = was->op,
		.opened_by = was->owner,
		.opened_stack = was->stack,
		.opened_at = was->since,
		.serial = was->serial,
		.released_op = (uint16_t)what->op,
		.released_by = self.slot ? self.slot->id : 0,
		.released_stack = what->stack,
		.released_at = clock_tick(),
	};
	if (was->flags & HOLD_AGAIN)
		some_again = true;
	if (!lock_take(&lock))
		return;
	if (!releases)
		releases = sys_pages(PLACES * sizeof *releases);
	if (releases)
		*place_of(what) = release;
	lock_release(&lock);
}

/* What was released before under this name. Return: false: nothing is known of that. */
static bool recall(const struct resource *what, struct release *ret_release)
{
	bool known = false;
	if (!lock_take(&lock))
		return false;
	if (releases) {
		*ret_release = *place_of(what);
		known = ret_release->kind == what->kind && ret_release->handle == what->handle &&
			ret_release->sort == what->sort;
	}
	lock_release(&lock);
	return known;
}

/* Names of threads are looked up now that they are needed: a release on its own should cost next to nothing. */
static struct rec_misuse_part opened_part(const struct release *release)
{
	struct rec_hold hold = {
		.since = release->opened_at,
		.stack = release->opened_stack,
		.owner = release->opened_by,
		.serial = release->serial,
		.op = release->opened_op,
	};
	return misuse_hold(&hold);
}

static struct rec_misuse_part released_part(const struct release *release)
{
	struct rec_hold hold = {
		.since = release->released_at,
		.stack = release->released_stack,
		.owner = release->released_by,
		.op = release->released_op,
	};
	return misuse_hold(&hold);
}

/* `what` is released though it is not open. */
static void judge(const struct resource *what)
{
	struct release before = { 0 };
	bool known = recall(what, &before);
	if (!what->handle || !nothing_missed())
		return;
	if (known && !before.sure)
		return;
	if (by_block(what)) {
		/* Somebody may have got that address from a function without a hook, as long as a block is there. */
		if (!known || !before.tracked || !allocation_exact() || is_block(what->handle))
			return;
	} else if (!known && (some_again || recording->fork_parent)) {
		return;
	}
	struct rec_misuse misuse = {
		.kind = MISUSE_released_twice,
		.object_kind = (uint8_t)what->kind,
		.handle = what->handle,
		.name = known ? before.name : recording_text(what->name),
		.parts = { misuse_now(what->stack, what->op) },
	};
	if (known) {
		misuse.parts[1] = released_part(&before);
		misuse.parts[2] = opened_part(&before);
	}
	misuse_note(&misuse);
}

static struct resource with_stack(const struct resource *what)
{
	struct resource there = *what;
	if (!there.stack && there.frame)
		there.stack = stack_capture(there.frame);
	return there;
}

void release_unknown(const struct resource *what)
{
	/* The quick answer, which is right nearly always. */
	struct release before;
	self.busy++;
	if (!what->of_block || (recall(what, &before) && before.tracked)) {
		struct resource there = with_stack(what);
		judge(&there);
	}
	self.busy--;
}

bool release_begin(const struct resource *what)
{
	struct rec_hold was;
	bool open = resource_released(what, &was);
	if (!open) {
		/* What is meant may just have been taken by somebody else. */
		if (!what->only)
			release_unknown(what);
		return false;
	}
	/* Nobody will ever ask for what is in no block. */
	if (what->of_block && !(was.flags & HOLD_IN_BLOCK))
		return true;
	self.busy++;
	struct resource there = with_stack(what);
	remember(&there, &was);
	self.busy--;
	return true;
}

void release_fork_child(void)
{
	if (releases)
		sys_pages_free(releases, PLACES * sizeof *releases);
	releases = NULL;
	some_again = false;
	lock.word = 0;
}
