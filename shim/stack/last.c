#include "stack/last.h"

#include <string.h>

#include "registry/format.h"
#include "stack/rules.h"

uint32_t unwind_generation = 1;
uint32_t unwind_unloading;

/* What differs between a frame's pc and what is in its place now. */
READS_STACKS static inline uint64_t difference(const struct unwind_frame *frame)
{
	return ((const uint64_t *)frame->sp)[-1] ^ frame->pc;
}

/* The innermost frame up to `count` that is intact, and all further out. */
READS_STACKS static inline uint32_t intact_up_to(const struct last *last, uint32_t count)
{
	const struct unwind_frame *frame = &last->frames[1], *end = &last->frames[count + 1];
	/* Four at a time: what this costs is loads, and so are branches saved. */
	for (; end - frame >= 4; frame += 4)
		if (difference(frame) | difference(frame + 1) | difference(frame + 2) | difference(frame + 3))
			break;
	while (frame < end && !difference(frame))
		frame++;
	uint32_t intact = (uint32_t)(frame - last->frames) - 1;
	for (const struct last_saved *saved = last->saved; saved < last->saved + last->saved_count; saved++) {
		if (saved->frame > intact)
			break;
		if (*saved->place != saved->value)
			return (uint32_t)saved->frame - 1;
	}
	return intact;
}

READS_STACKS NOINLINE uint32_t last_intact(const struct last *last, uint64_t sp)
{
	uint32_t count = last->count;
	while (count && last->frames[count].sp < sp)
		count--;
	return intact_up_to(last, count);
}

/* Where it is the very same, from the innermost frame on. */
READS_STACKS ALWAYS_INLINE stack_id last_same(const struct last *last, uint64_t sp, uint64_t pc, uint64_t bp)
{
	uint32_t count = last->count;
	if (!count || last->frames[count].sp != sp || last->frames[count].pc != pc ||
	    last->generation != __atomic_load_n(&unwind_generation, __ATOMIC_ACQUIRE))
		return 0;
	uint64_t bp_there = last_bp(last, count);
	if (bp_there != BP_UNUSED && bp_there != bp)
		return 0;
	return intact_up_to(last, count) == count ? last->id : 0;
}

/* -- chains ----------------------------------------------------------------- */

/* Stack pointers differ in their middle bits, return addresses in their low ones. */
static inline uint64_t chain_key(uint64_t sp, uint64_t pc)
{
	return (sp >> 4 ^ pc) * UINT64_C(0x9e3779b97f4a7c15);
}

static inline uint32_t chain_set(const struct last *last, uint64_t key)
{
	return (uint32_t)(key >> 40) & last->set_mask;
}

static inline uint32_t chain_tag(uint64_t key)
{
	return (uint32_t)(key >> 16) | 1;
}

static inline const uint64_t *chain_place(const struct last_chain *chain, uint16_t words)
{
	return (const uint64_t *)chain->base + words;
}

/*
 * Whether a chain's own frames, and the words that the walk over them read, are in place. The innermost is, since it was
 * looked for.
 */
READS_STACKS static inline bool chain_is_intact(const struct last_chain *chain)
{
	const uint64_t *base = (const uint64_t *)chain->base, *pc = &chain->pcs[1];
	const uint16_t *place = &chain->places[1], *end = &chain->places[chain->count];
	/* Four at a time, as in intact_up_to: behind the last the entries repeat themselves. */
	for (; place < end; place += 4, pc += 4)
		if ((base[place[0]] ^ pc[0]) | (base[place[1]] ^ pc[1]) | (base[place[2]] ^ pc[2]) |
		    (base[place[3]] ^ pc[3]))
			return false;
	for (uint32_t i = 0; i < chain->saved_count; i++)
		if (base[chain->saved_places[i]] != chain->saved[i])
			return false;
	return true;
}

/* Whether the frame that it leads to is of the last stack as it is now. */
static inline bool chain_meets(const struct last *last, const struct last_chain *chain)
{
	uint32_t from = chain->from, count = chain->count;
	return from <= last->count && chain->outer_hash == last->hashes[from] &&
	       (uintptr_t)(chain_place(chain, chain->places[count]) + 1) == last->frames[from].sp &&
	       chain->pcs[count] == last->frames[from].pc && chain->end == last->end &&
	       chain->generation == last->generation &&
	       last_bp(last, from) == (UNLIKELY(chain->outer_bp_used) ? chain->outer_bp : BP_UNUSED);
}

/* Whether the stack from a frame of such registers on is the chain's and, from there on, the last one's. */
READS_STACKS ALWAYS_INLINE bool chain_holds(const struct last *last, const struct last_chain *chain,
					    uint64_t sp, uint64_t pc, uint64_t bp)
{
	return chain->base + 8 == sp && chain->pcs[0] == pc && chain->id && chain_is_intact(chain) &&
	       LIKELY(chain_meets(last, chain)) && LIKELY(!chain->bp_used || chain->bp == bp) &&
	       intact_up_to(last, chain->from) == chain->from;
}

READS_STACKS static NOINLINE stack_id chain_search(struct last *last, uint64_t sp, uint64_t pc, uint64_t bp)
{
	uint64_t key = chain_key(sp, pc);
	uint32_t set = chain_set(last, key), tag = chain_tag(key);
	for (uint32_t way = 0; way < CHAIN_WAYS; way++) {
		uint32_t number = set * CHAIN_WAYS + way;
		if (last->tags[set][way] != tag || !chain_holds(last, &last->chains[number], sp, pc, bp))
			continue;
		last->chains[last->met].next = (uint16_t)number;
		last->met = (uint16_t)number;
		last->walks = 0;
		return last->chains[number].id;
	}
	return 0;
}

READS_STACKS static NOINLINE stack_id last_by_chain(struct last *last, uint64_t sp, uint64_t pc, uint64_t bp)
{
	if (UNLIKELY(!last_has_chains(last)) ||
	    UNLIKELY(last->generation != __atomic_load_n(&unwind_generation, __ATOMIC_ACQUIRE)))
		return 0;
	uint16_t next = last->chains[last->met].next;
	const struct last_chain *chain = &last->chains[next];
	if (UNLIKELY(!chain_holds(last, chain, sp, pc, bp)))
		return chain_search(last, sp, pc, bp);
	last->walks = 0;
	if (UNLIKELY(next == last->met))
		last->same_first = chain->id == last->id; /* the shorter way to it */
	last->met = next;
	return chain->id;
}

static NOINLINE stack_id last_after_all(struct last *last, uint64_t sp, uint64_t pc, uint64_t bp)
{
	stack_id id = last_same(last, sp, pc, bp);
	last->same_first = id;
	return id;
}

stack_id last_known(struct last *last, uint64_t sp, uint64_t pc, uint64_t bp)
{
	if (last->same_first) {
		stack_id id = last_same(last, sp, pc, bp);
		if (LIKELY(id))
			return id;
		last->same_first = false;
		return last_by_chain(last, sp, pc, bp);
	}
	stack_id id = last_by_chain(last, sp, pc, bp);
	return LIKELY(id) ? id : last_after_all(last, sp, pc, bp);
}

/* Few to begin with: a short process is not to touch a page for each. */
static void chains_grow(struct last *last)
{
	uint32_t sets = last->set_mask + 1;
	if (++last->chains_put <= 2 * CHAIN_WAYS * sets || sets >= CHAIN_SETS)
		return;
	last->set_mask = MIN_OF(4 * sets, CHAIN_SETS) - 1;
	last->chains_put = 0;
}

/* Where the word at `place` is, as a chain says it. Return: whether it can. */
static inline bool place_make(const struct last_chain *chain, uint64_t place, uint16_t *ret_words)
{
	uint64_t words = (place - chain->base) / 8;
	*ret_words = (uint16_t)words;
	return words <= UINT16_MAX;
}

/* The last stack from its innermost frame to `from`, into a chain that nobody looks at. Return: whether it can be said. */
static bool chain_write(struct last_chain *chain, const struct last *last, uint32_t from,
			const struct last_saved *saved, uint32_t saved_count)
{
	uint32_t count = last->count - from;
	const struct unwind_frame *innermost = &last->frames[last->count];
	bool good = true;
	chain->base = innermost->sp - 8;
	chain->outer_hash = last->hashes[from];
	chain->outer_bp = last_bp(last, from);
	chain->outer_bp_used = chain->outer_bp != BP_UNUSED;
	chain->bp = last_bp(last, last->count);
	chain->bp_used = chain->bp != BP_UNUSED;
	chain->generation = last->generation;
	chain->from = (uint16_t)from;
	chain->count = (uint8_t)count;
	chain->saved_count = (uint8_t)saved_count;
	chain->end = (uint8_t)last->end;
	for (uint32_t i = 0; i < COUNT_OF(chain->pcs); i++) {
		const struct unwind_frame *frame = innermost - MIN_OF(i, count);
		chain->pcs[i] = frame->pc;
		good &= place_make(chain, frame->sp - 8, &chain->places[i]);
	}
	for (uint32_t i = 0; i < saved_count; i++) {
		chain->saved[i] = saved[i].value;
		good &= place_make(chain, (uintptr_t)saved[i].place, &chain->saved_places[i]);
	}
	return good;
}

/*
 * Keeps the innermost frames of what was just taken in. As many as there is room for: whatever else changes
 * within the frame that they lead to does not matter then.
 */
static void keep_chain(struct last *last)
{
	uint32_t count = MIN_OF(last->count - 1, CHAIN_FRAMES), from = last->count - count;
	uint32_t first_saved = last->saved_count;
	while (first_saved && last->saved[first_saved - 1].frame > from)
		first_saved--;
	uint32_t saved_count = last->saved_count - first_saved;
	if (!last->id || !count || saved_count > CHAIN_SAVED)
		return;
	chains_grow(last);
	const struct unwind_frame *innermost = &last->frames[last->count];
	uint64_t key = chain_key(innermost->sp, innermost->pc);
	uint32_t set = chain_set(last, key), way = last->chains_put % CHAIN_WAYS;
	uint32_t number = set * CHAIN_WAYS + way;
	struct last_chain *chain = &last->chains[number];
	chain->id = 0;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	bool good = chain_write(chain, last, from, &last->saved[first_saved], saved_count);
	last->tags[set][way] = good ? chain_tag(key) : 0;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	chain->id = good ? last->id : 0;
	last->chains[last->met].next = (uint16_t)number;
	last->met = (uint16_t)number;
}

/* -- taking in -------------------------------------------------------------- */

/* Frame pointers matter from where one was used inward to where it was loaded. */
static NOINLINE void note_frame_pointers(struct last *last, const struct walk *walk, uint32_t from)
{
	uint32_t count = walk->plain - walk->first;
	const struct unwind_step *steps = &walk->steps[walk->first];
	uint64_t outer_bp = last_bp(last, from);
	bool used = outer_bp != BP_UNUSED; /* by the frame outside, or further out */
	while (last->bp_count < from)
		last->bps[++last->bp_count] = BP_UNUSED;
	for (uint32_t i = 0; i < count; i++) {
		rule_bits rule = steps[i].rule;
		uint32_t outer = from + i;
		bool is_plain = rule_kind(rule) == RULE_FROM_SP || rule_kind(rule) == RULE_FROM_BP;
		bool loads = is_plain && rule_bp(rule) && outer > 0;
		if (used && loads)
			last->saved[last->saved_count++] = (struct last_saved){
				.place = (const uint64_t *)(last->frames[outer].sp + (uint64_t)rule_bp(rule)),
				.value = outer_bp,
				.frame = outer + 1,
			};
		used = rule_kind(rule) == RULE_FROM_BP || (used && !loads);
		outer_bp = steps[i].bp;
		last->bps[outer + 1] = used ? steps[i].bp : BP_UNUSED;
	}
	last->bp_count = from + count;
}

/* Makes room: of a stack that is deeper than what is kept, the outermost frames go. */
static NOINLINE uint32_t drop_outer(struct last *last, uint32_t from)
{
	uint32_t keep = MIN_OF(from, unwind_depth + WALK_SPARE);
	uint32_t gone = from - keep;
	memmove(&last->frames[1], &last->frames[1 + gone], keep * sizeof last->frames[0]);
	memmove(&last->bps[1], &last->bps[1 + gone], keep * sizeof last->bps[0]);
	last->bp_count = last->bp_count > gone ? last->bp_count - gone : 0;
	memmove(&last->hashes[0], &last->hashes[gone], (keep + 1) * sizeof last->hashes[0]);
	uint32_t kept = 0;
	for (uint32_t i = 0; i < last->saved_count; i++) {
		if (last->saved[i].frame <= gone + 1)
			continue; /* of a step out of, or into, what is dropped */
		last->saved[kept] = last->saved[i];
		last->saved[kept++].frame -= gone;
	}
	last->saved_count = kept;
	last->end = UNWIND_FULL;
	return keep;
}

/* hashes[0] is that of the frames outside; one for each new frame is written behind it. Return: the last. */
static uint64_t add_hashes(uint64_t *hashes, const struct unwind_frame *frames, uint32_t count)
{
	uint64_t hash = hashes[0];
	uint32_t i = 0;
	/* Two at a time, so that one multiplication waits for another once in two frames. */
	for (; i + 2 <= count; i += 2) {
		uint64_t pair = depot_hash(depot_hash(0, frames[i].pc), frames[i + 1].pc);
		hashes[i + 1] = depot_hash(hash, frames[i].pc);
		hash = hash * (DEPOT_HASH_FACTOR * DEPOT_HASH_FACTOR) + pair;
		hashes[i + 2] = hash;
	}
	if (i < count)
		hashes[i + 1] = hash = depot_hash(hash, frames[i].pc);
	return hash;
}

/*
 * The id of the stack of these frames, outermost first, of which the innermost `added` were just walked and
 * the others are those of the last stack.
 */
static stack_id id_of(struct last *last, const struct unwind_frame *frames, uint32_t count, uint32_t added,
		      uint16_t flags, uint64_t hash, uint32_t generation)
{
	const uint32_t mask = (last->set_mask + 1) * (LAST_IDS / CHAIN_SETS) - 1;
	if (UNLIKELY(last->ids_generation != generation)) {
		memset(last->ids, 0, (mask + 1) * sizeof last->ids[0]);
		last->ids_generation = generation;
	}
	stack_id *known = &last->ids[(uint32_t)(hash >> 32) & mask];
	stack_id id = *known;
	if (id && depot_holds(id, frames, count, MIN_OF(added, count), flags, hash))
		return id;
	id = depot_put(frames, count, flags, hash);
	*known = generation == GENERATION_NONE ? 0 : id;
	return id;
}

stack_id last_put(struct last *last, const struct walk *walk, enum unwind_end end, bool *ret_short)
{
	uint32_t from = walk->joined;
	uint32_t added = WALK_MOST - walk->first, plain = walk->plain - walk->first;
	const struct unwind_frame *new = &walk->frames[walk->first];
	if (end == UNWIND_JOINED && last->end == UNWIND_FULL && from + added < unwind_depth) {
		*ret_short = true;
		return 0;
	}
	last->count = 0;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	if (end != UNWIND_JOINED) {
		last->end = end;
		last->saved_count = 0;
		last->frames[0].sp = UINT64_MAX;
		last->hashes[0] = 0;
		last->bps[0] = BP_UNUSED;
		last->bp_count = 0;
	} else {
		while (last->saved_count && last->saved[last->saved_count - 1].frame > from)
			last->saved_count--;
		if (UNLIKELY(from + added > LAST_MOST))
			from = drop_outer(last, from);
	}
	memcpy(&last->frames[from + 1], new, added * sizeof *new);
	uint64_t hash = add_hashes(&last->hashes[from], new, added);
	last->bp_count = MIN_OF(last->bp_count, from);
	if (UNLIKELY(walk->bp_used || last_bp(last, from) != BP_UNUSED))
		note_frame_pointers(last, walk, from);

	uint32_t total = from + added, count = MIN_OF(total, unwind_depth);
	bool cut = count < total || last->end != UNWIND_OUTERMOST;
	stack_id id = id_of(last, &last->frames[total - count + 1], count, added, cut ? STACK_TRUNCATED : 0,
			    depot_hash_within(hash, last->hashes[total - count], count), walk->generation);
	last->id = plain == added ? id : 0;
	last->generation = walk->generation;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	/* Where it ended for want of memory nobody knows how it would end next time. */
	last->count = last->end == UNWIND_UNREADABLE ? 0 : from + plain;
	if (last->count && last_has_chains(last))
		keep_chain(last);
	last->walks++;
	last->same_first = true;
	return id;
}
