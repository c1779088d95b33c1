#include "registry/release.h"

#include "base/hash.h"
#include "platform/sys.h"
#include "registry/allocation.h"
#include "registry/clock.h"
#include "registry/misuse.h"
#include "registry/recording.h"
#include "stack/stack.h"

/*
 * A place each for a few thousand handles, by hash; the newer takes it. Chosen somewhat arbitrarily: who releases
 * twice mostly does so soon.
 *
 * No lock: each release would pay for it. Who writes a place seals it with a hash of all that it wrote, and a reader whose copy does not
 * match its seal (two writers at a time, or one just now) knows nothing.
 */
#define PLACE_BITS 11u
#define PLACES (1u << PLACE_BITS)

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

/* How it is kept: whole words, put together in registers, since a word that was just stored in parts is slow to load. */
#define PLACE_WORDS 9u
struct place {
	uint64_t words[PLACE_WORDS]; /* the last one is the seal; all 0: the place is free */
};

_Static_assert(KIND_COUNT < 1 << 8 && sizeof(text_id) == 4 && sizeof(thread_id) == 4 && sizeof(stack_id) == 4,
	       "as packed");

static struct place *releases; /* PLACES */
static bool some_again;        /* a handle was acquired that was open */

/* Whether everything that has happened to resources in this process is known. */
static bool nothing_missed(void)
{
	return !atomic_load_explicit(&recording->dropped_events, memory_order_relaxed) &&
	       !atomic_load_explicit(&recording->tables[REC_RESOURCES].lost, memory_order_relaxed);
}

static bool is_block(uint64_t handle)
{
	return allocation_exact() && allocation_find((const void *)handle, NULL);
}

static struct place *place_of(struct place *places, const struct resource *what)
{
	uint64_t word = what->handle + ((uint64_t)what->kind << 48) + ((uint64_t)what->sort << 52);
	return &places[hash_place(word, PLACE_BITS)];
}

/* A sum of products with odd numbers, which need not wait for each other. */
static inline uint64_t seal_of(const struct place *place)
{
	uint64_t hash = 0;
#pragma GCC unroll 8
	for (size_t i = 0; i < PLACE_WORDS - 1; i++)
		hash += place->words[i] * (UINT64_C(0x9e3779b97f4a7c15) * (2 * i + 1));
	return ~hash;
}

static inline struct place packed(const struct release *release)
{
	struct place place = { {
	    release->handle,
	    release->sort | (uint64_t)release->name << 32,
	    release->kind | (uint64_t)release->sure << 8 | (uint64_t)release->tracked << 9 |
		(uint64_t)release->opened_op << 16 | (uint64_t)release->released_op << 32,
	    release->opened_by | (uint64_t)release->released_by << 32,
	    release->serial | (uint64_t)release->opened_stack << 32,
	    release->released_stack,
	    release->opened_at,
	    release->released_at,
	} };
	place.words[PLACE_WORDS - 1] = seal_of(&place);
	return place;
}

static struct release unpacked(const struct place *place)
{
	const uint64_t *words = place->words;
	return (struct release){
		.handle = words[0],
		.sort = (text_id)words[1],
		.name = (text_id)(words[1] >> 32),
		.kind = (uint8_t)words[2],
		.sure = words[2] >> 8 & 1,
		.tracked = words[2] >> 9 & 1,
		.opened_op = (uint16_t)(words[2] >> 16),
		.released_op = (uint16_t)(words[2] >> 32),
		.opened_by = (thread_id)words[3],
		.released_by = (thread_id)(words[3] >> 32),
		.serial = (uint32_t)words[4],
		.opened_stack = (stack_id)(words[4] >> 32),
		.released_stack = (stack_id)words[5],
		.opened_at = words[6],
		.released_at = words[7],
	};
}

/* NULL: there is no memory. */
static struct place *places_ready(void)
{
	struct place *places = __atomic_load_n(&releases, __ATOMIC_ACQUIRE);
	if (LIKELY(places))
		return places;
	struct place *made = sys_pages(PLACES * sizeof *releases);
	if (made && !__atomic_compare_exchange_n(&releases, &places, made, false, __ATOMIC_ACQ_REL,
						 __ATOMIC_ACQUIRE)) {
		sys_pages_free(made, PLACES * sizeof *releases);
		return places;
	}
	return made;
}

static inline void release_store(const struct resource *what, const struct release *release)
{
	struct place *places = places_ready();
	if (!places)
		return;
	struct place copy = packed(release), *place = place_of(places, what);
#pragma GCC unroll 9
	for (size_t i = 0; i < PLACE_WORDS; i++)
		__atomic_store_n(&place->words[i], copy.words[i], __ATOMIC_RELAXED);
}

/* Whether only what has become of the block at `handle` can say that a release is wrong. */
static bool by_block(const struct resource *what)
{
	return what->of_block || kind_has(what->kind, KIND_IS_MEMORY);
}

/* With self.busy held, as below. */
static void remember(const struct resource *what, stack_id stack, const struct rec_hold *was)
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
		.released_stack = stack,
		.released_at = clock_tick(),
	};
	if (was->flags & HOLD_AGAIN)
		some_again = true;
	release_store(what, &release);
}

/* What was released before under this name. Return: false: nothing is known of that. */
static bool recall(const struct resource *what, struct release *ret_release)
{
	struct place *places = __atomic_load_n(&releases, __ATOMIC_ACQUIRE), copy;
	if (!places)
		return false;
	const struct place *place = place_of(places, what);
	/* Mostly it is another one's. */
	if (__atomic_load_n(&place->words[0], __ATOMIC_RELAXED) != what->handle)
		return false;
#pragma GCC unroll 9
	for (size_t i = 0; i < PLACE_WORDS; i++)
		copy.words[i] = __atomic_load_n(&place->words[i], __ATOMIC_RELAXED);
	*ret_release = unpacked(&copy);
	return ret_release->kind == what->kind && ret_release->handle == what->handle &&
	       ret_release->sort == what->sort && copy.words[PLACE_WORDS - 1] == seal_of(&copy);
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

static stack_id stack_of(const struct resource *what)
{
	return what->stack || !what->frame ? what->stack : stack_capture(what->frame);
}

void release_unknown(const struct resource *what)
{
	/* The quick answer, which is right nearly always. */
	struct release before;
	self.busy++;
	if (!what->of_block || (recall(what, &before) && before.tracked)) {
		struct resource there = *what;
		there.stack = stack_of(what);
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
	remember(what, stack_of(what), &was);
	self.busy--;
	return true;
}

void release_fork_child(void)
{
	if (releases)
		sys_pages_free(releases, PLACES * sizeof *releases);
	releases = NULL;
	some_again = false;
}
