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

READS_STACKS stack_id last_same(const struct last *last, uint64_t sp, uint64_t pc, uint64_t bp)
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

/* Whether a variant's own frames, and the words that the walk over them read, are in place. */
READS_STACKS static inline bool variant_is_intact(const struct last_variant *variant)
{
	for (const struct unwind_frame *frame = variant->frames; frame < variant->frames + variant->count;
	     frame++)
		if (difference(frame))
			return false;
	for (const struct last_saved *saved = variant->saved; saved < variant->saved + variant->saved_count;
	     saved++)
		if (*saved->place != saved->value)
			return false;
	return true;
}

READS_STACKS stack_id last_variant_same(const struct last *last, uint64_t sp, uint64_t pc, uint64_t bp)
{
	for (const struct last_variant *variant = last->variants; variant < last->variants + VARIANTS;
	     variant++) {
		if (!variant->id)
			return 0; /* they are filled in their order */
		const struct unwind_frame *innermost = &variant->frames[variant->count - 1];
		uint32_t from = variant->from;
		if (innermost->pc != pc || innermost->sp != sp || from > last->count ||
		    variant->outer_hash != last->hashes[from] || variant->outer.sp != last->frames[from].sp ||
		    variant->outer.pc != last->frames[from].pc || variant->outer_bp != last_bp(last, from) ||
		    variant->end != last->end || (variant->bp != BP_UNUSED && variant->bp != bp) ||
		    variant->generation != __atomic_load_n(&unwind_generation, __ATOMIC_ACQUIRE) ||
		    variant->generation != last->generation)
			continue;
		if (variant_is_intact(variant) && intact_up_to(last, from) == from)
			return variant->id;
	}
	return 0;
}

/* Remembers the frames within `from`, which are about to be replaced. */
static void keep_variant(struct last *last, uint32_t from)
{
	uint32_t count = last->count - from, first_saved = last->saved_count;
	while (first_saved && last->saved[first_saved - 1].frame > from)
		first_saved--;
	uint32_t saved_count = last->saved_count - first_saved;
	if (!last->id || !from || from >= last->count || count > VARIANT_FRAMES ||
	    saved_count > VARIANT_FRAMES)
		return;
	struct last_variant *variant = &last->variants[last->newest_variant++ % VARIANTS];
	stack_id id = last->id;
	variant->id = 0;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	variant->from = from;
	variant->count = count;
	variant->saved_count = saved_count;
	variant->generation = last->generation;
	variant->end = last->end;
	variant->outer_hash = last->hashes[from];
	variant->outer_bp = last_bp(last, from);
	variant->outer = last->frames[from];
	variant->bp = last_bp(last, last->count);
	memcpy(variant->frames, &last->frames[from + 1], count * sizeof variant->frames[0]);
	memcpy(variant->saved, &last->saved[first_saved], saved_count * sizeof variant->saved[0]);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	variant->id = id;
}

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

stack_id last_put(struct last *last, const struct walk *walk, enum unwind_end end, bool *ret_short)
{
	uint32_t from = walk->joined;
	uint32_t added = WALK_MOST - walk->first, plain = walk->plain - walk->first;
	const struct unwind_frame *new = &walk->frames[walk->first];
	if (end == UNWIND_JOINED && last->end == UNWIND_FULL && from + added < unwind_depth) {
		*ret_short = true;
		return 0;
	}
	if (end == UNWIND_JOINED)
		keep_variant(last, from);
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
	stack_id id = depot_put(&last->frames[total - count + 1], count, cut ? STACK_TRUNCATED : 0,
				depot_hash_within(hash, last->hashes[total - count], count));
	last->id = plain == added ? id : 0;
	last->generation = walk->generation;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	/* Where it ended for want of memory nobody knows how it would end next time. */
	last->count = last->end == UNWIND_UNREADABLE ? 0 : from + plain;
	return id;
}
