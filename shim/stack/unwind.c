#include "stack/unwind.h"

#include <errno.h>

#include "stack/last.h"

uint32_t unwind_depth = 64;

#define FRAMES_TO_US 16u /* from unwind_full to the hook: three, and what the compiler may split off */

/* From `sp` on, what may be read without asking? The walk came, or jumped, there. */
static void reach_enter(struct reach *reach, const struct walk *walk, uint64_t sp)
{
	reach->floor = sp;
	reach->top = bounds_cover(walk->bounds, sp) ? walk->bounds->high - 7 : 0;
}

/* -- by rules --------------------------------------------------------------- */

/* The caller's registers by a RULE_LOADED_* rule. */
static bool step_loaded(struct walk_state *now, rule_bits rule)
{
	uint64_t base = rule_kind(rule) == RULE_LOADED_SP ? now->sp : now->bp;
	uint64_t cfa, pc, bp = now->bp;
	if (!reach_word(&now->reach, base + (uint64_t)rule_loaded_cfa(rule), &cfa))
		return false;
	if (rule_bp(rule) != RULE_NOWHERE && !reach_word(&now->reach, base + (uint64_t)rule_bp(rule), &bp))
		return false;
	uint64_t pc_at =
	    rule_loaded_pc(rule) == RULE_NOWHERE ? cfa - 8 : base + (uint64_t)rule_loaded_pc(rule);
	if (!reach_word(&now->reach, pc_at, &pc))
		return false;
	now->sp = cfa;
	now->pc = pc;
	now->bp = bp;
	return true;
}

/* Where the walk is on the thread's own stack, the innermost frame of the last one that it may come to. */
static void find_intact(struct walk *walk)
{
	static const struct unwind_frame outside = { .sp = UINT64_MAX };
	const struct last *last = walk->last;
	bool usable = last && last->count && walk->now.reach.top && walk->generation != GENERATION_NONE &&
		      last->generation == walk->generation;
	walk->now.intact = usable ? &last->frames[last_intact(last, walk->now.sp)] : &outside;
}

/*
 * Goes on as long as it is simple: plain calls on the thread's own stack, by rules that are known. Stops at the
 * first frame that is not, or that may be one of the last stack, and leaves it to step_any.
 */
static void walk_plain(struct walk *walk)
{
	struct walk_state *now = &walk->now;
	uint64_t sp = now->sp, pc = now->pc, bp = now->bp;
	const struct unwind_frame *intact = now->intact;
	const struct rule_table *table = __atomic_load_n(&rule_table, __ATOMIC_ACQUIRE);
	const uint64_t floor = now->reach.floor, room = now->reach.top - floor;
	const uint32_t full = WALK_MOST - walk->limit;
	uint32_t first = walk->first;
	bool bp_used = false;
	while (LIKELY(first != full && table)) {
		while (intact->sp < sp)
			intact--;
		if (intact->sp == sp && intact->pc == pc)
			break;
		rule_bits rule = rules_find_in(table, pc, false);
		uint64_t cfa = sp, next_bp = bp;
		if (LIKELY(rule_kind(rule) == RULE_FROM_SP)) {
			cfa += (uint64_t)rule_cfa(rule);
		} else if (rule_kind(rule) == RULE_FROM_BP) {
			cfa = bp + (uint64_t)rule_cfa(rule);
			bp_used = true;
		} else {
			break;
		}
		/* Below sp it would be going down, or to another stack. */
		if (UNLIKELY(cfa <= sp || cfa - 8 - floor >= room))
			break;
		if (rule_bp(rule)) {
			uint64_t place = cfa + (uint64_t)rule_bp(rule);
			if (UNLIKELY(place - floor >= room))
				break;
			next_bp = *(const uint64_t *)place;
		}
		first--;
		walk->frames[first] = (struct unwind_frame){ .sp = sp, .pc = pc };
		walk->steps[first] = (struct unwind_step){ .bp = bp, .rule = rule };
		pc = ((const uint64_t *)cfa)[-1];
		sp = cfa;
		bp = next_bp;
	}
	walk->first = first;
	walk->bp_used |= bp_used;
	now->sp = sp;
	now->pc = pc;
	now->bp = bp;
	now->intact = intact;
}

/* Whether the frame that the walk is at is one of the last stack. */
static bool joins(struct walk *walk)
{
	struct walk_state *now = &walk->now;
	while (now->intact->sp < now->sp)
		now->intact--;
	if (now->intact->sp != now->sp || now->intact->pc != now->pc || now->exact)
		return false;
	uint32_t number = (uint32_t)(now->intact - walk->last->frames);
	uint64_t bp = last_bp(walk->last, number);
	if (bp != BP_UNUSED && bp != now->bp)
		return false;
	walk->joined = number;
	return true;
}

/* One frame of any kind. Return: UNWIND_MORE: the state is that of the caller. */
static enum unwind_end step_any(struct walk *walk)
{
	struct walk_state *now = &walk->now;
	if (joins(walk))
		return UNWIND_JOINED;
	if (!now->pc && walk->first != WALK_MOST)
		return UNWIND_OUTERMOST; /* the bottom of a stack that was made by hand */
	if (walk->first == WALK_MOST - walk->limit)
		return UNWIND_FULL;
	rule_bits rule = RULE_NONE;
	if (LIKELY(walk->generation != GENERATION_NONE))
		rule = rules_find(now->pc, now->exact);
	if (!rule)
		rule = rules_learn(&walk->cfi, now->pc, now->exact);
	walk->first--;
	walk->frames[walk->first] = (struct unwind_frame){ .sp = now->sp, .pc = now->pc };
	walk->steps[walk->first] = (struct unwind_step){ .bp = now->bp, .rule = rule };
	if (now->odd || !now->reach.top)
		walk->plain = walk->first;
	now->odd = now->exact = false;
	uint64_t sp = now->sp;
	switch (rule_kind(rule)) {
	case RULE_FROM_SP:
		now->sp += (uint64_t)rule_cfa(rule);
		break;
	case RULE_FROM_BP:
		now->sp = now->bp + (uint64_t)rule_cfa(rule);
		walk->bp_used = true;
		break;
	case RULE_LOADED_SP:
	case RULE_LOADED_BP:
		if (!step_loaded(now, rule))
			return UNWIND_UNREADABLE;
		now->exact = rule_is_signal(rule);
		now->odd = true;
		reach_enter(&now->reach, walk, now->sp); /* maybe on another stack */
		find_intact(walk);
		return UNWIND_MORE;
	case RULE_OUTERMOST:
		return UNWIND_OUTERMOST;
	case RULE_COMPLEX:
		return UNWIND_COMPLEX;
	default:
		return UNWIND_LOST;
	}
	if (rule_bp(rule) && !reach_word(&now->reach, now->sp + (uint64_t)rule_bp(rule), &now->bp))
		return UNWIND_UNREADABLE;
	if (!reach_word(&now->reach, now->sp - 8, &now->pc))
		return UNWIND_UNREADABLE;
	if (now->sp <= sp || now->sp - 8 >= now->reach.top) {
		/* It went to another stack, or is on one that is asked for page by page. */
		now->odd = true;
		reach_enter(&now->reach, walk, now->sp);
		find_intact(walk);
	}
	return UNWIND_MORE;
}

enum unwind_end unwind_walk(struct walk *walk, const void *frame)
{
	const uint64_t *saved = frame;
	struct walk_state *now = &walk->now;
	now->sp = (uintptr_t)(saved + 2);
	now->pc = saved[1];
	now->bp = saved[0];
	now->exact = now->odd = false;
	walk->generation = __atomic_load_n(&unwind_generation, __ATOMIC_SEQ_CST);
	if (UNLIKELY(__atomic_load_n(&unwind_unloading, __ATOMIC_SEQ_CST)))
		walk->generation = GENERATION_NONE;
	now->reach = REACH_NOWHERE;
	reach_enter(&now->reach, walk, now->sp);
	find_intact(walk);
	walk->first = walk->plain = WALK_MOST;
	walk->joined = 0;
	walk->bp_used = false;
	enum unwind_end end;
	do {
		if (LIKELY(now->reach.top && !now->exact && !now->odd && walk->generation != GENERATION_NONE))
			walk_plain(walk);
		end = step_any(walk);
	} while (end == UNWIND_MORE);
	if (now->odd)
		walk->plain = walk->first;
	return end;
}

/* -- with all registers ------------------------------------------------------ */

#define CALLEE_SAVED \
	(1u << CFI_RBX | 1u << CFI_RBP | 1u << CFI_R12 | 1u << CFI_R13 | 1u << CFI_R14 | 1u << CFI_R15 | \
	 1u << CFI_RSP | 1u << CFI_RIP)

static bool place_value(const struct cfi_place *place, const struct registers *registers, uint64_t cfa,
			struct reach *reach, uint64_t *ret_value)
{
	struct expression_value value;
	switch (place->how) {
	case CFI_AT:
		return reach_word(reach, cfa + (uint64_t)place->value, ret_value);
	case CFI_IS:
		*ret_value = cfa + (uint64_t)place->value;
		return true;
	case CFI_IN:
		if (place->value < 0 || place->value >= CFI_REGISTERS ||
		    !(registers->known & (1u << place->value)))
			return false;
		*ret_value = registers->values[place->value];
		return true;
	case CFI_AT_EXPRESSION:
	case CFI_IS_EXPRESSION:
		if (!expression_run(place, registers, &cfa, reach, &value) || value.kind != EXPRESSION_NUMBER)
			return false;
		if (place->how == CFI_AT_EXPRESSION)
			return reach_word(reach, value.add, ret_value);
		*ret_value = value.add;
		return true;
	default:
		return false;
	}
}

static bool cfa_value(const struct cfi_place *place, const struct registers *registers, struct reach *reach,
		      uint64_t *ret_cfa)
{
	struct expression_value value;
	if (place->how == CFI_IS) {
		*ret_cfa = registers->values[place->reg] + (uint64_t)place->value;
		return registers->known & (1u << place->reg);
	}
	if (place->how != CFI_IS_EXPRESSION || !expression_run(place, registers, NULL, reach, &value) ||
	    value.kind != EXPRESSION_NUMBER)
		return false;
	*ret_cfa = value.add;
	return true;
}

enum unwind_end unwind_step(struct cfi *cfi, struct registers *registers, bool *exact, struct reach *reach)
{
	uint64_t pc = registers->values[CFI_RIP], cfa;
	int error = cfi_find(cfi, pc, *exact);
	if (error == -ENODATA && cfi_is_bottom(cfi, pc))
		return UNWIND_OUTERMOST;
	if (error)
		return UNWIND_LOST;
	const struct cfi_place *places = cfi->row.registers;
	if (places[CFI_RIP].how == CFI_UNDEFINED)
		return UNWIND_OUTERMOST;
	if (!cfa_value(&cfi->row.cfa, registers, reach, &cfa))
		return UNWIND_LOST;
	struct registers next = { .known = 1u << CFI_RSP };
	next.values[CFI_RSP] = cfa;
	for (unsigned i = 0; i < CFI_REGISTERS; i++) {
		uint32_t bit = 1u << i;
		if (places[i].how == CFI_UNSAID || places[i].how == CFI_SAME) {
			if (i != CFI_RSP && (registers->known & CALLEE_SAVED & ~(1u << CFI_RIP) & bit)) {
				next.values[i] = registers->values[i];
				next.known |= bit;
			}
			continue;
		}
		/* A register that can't be had is unknown, and no harm done until a rule asks for it. */
		next.known &= ~bit;
		if (place_value(&places[i], registers, cfa, reach, &next.values[i]))
			next.known |= bit;
	}
	if (!(next.known & (1u << CFI_RIP)) || !(next.known & (1u << CFI_RSP)))
		return UNWIND_LOST;
	*registers = next;
	*exact = cfi->is_signal_frame;
	return next.values[CFI_RIP] ? UNWIND_MORE : UNWIND_OUTERMOST;
}

NOINLINE enum unwind_end unwind_full(struct walk *walk, const void *frame)
{
	struct registers registers = { .known = CALLEE_SAVED };
	uint64_t *values = registers.values;
	/* One statement, so that all of them are of the same instant: that of the label. */
	__asm__ volatile("movq %%rbx, 24(%0)\n\t"
			 "movq %%rbp, 48(%0)\n\t"
			 "movq %%rsp, 56(%0)\n\t"
			 "movq %%r12, 96(%0)\n\t"
			 "movq %%r13, 104(%0)\n\t"
			 "movq %%r14, 112(%0)\n\t"
			 "movq %%r15, 120(%0)\n\t"
			 "leaq 1f(%%rip), %%rax\n\t"
			 "movq %%rax, 128(%0)\n"
			 "1:"
			 :
			 : "r"(values)
			 : "rax", "memory");
	uint64_t wanted = (uintptr_t)frame + 16;
	struct reach reach = REACH_NOWHERE;
	bool exact = true, reached = false;
	reach_enter(&reach, walk, values[CFI_RSP]);
	walk->first = WALK_MOST;
	for (unsigned skipped = 0;;) {
		uint64_t sp = values[CFI_RSP];
		if (sp == wanted)
			reached = true;
		if (!reached && ++skipped > FRAMES_TO_US)
			return UNWIND_LOST;
		if (reached)
			walk->frames[--walk->first] =
			    (struct unwind_frame){ .sp = sp, .pc = values[CFI_RIP] };
		enum unwind_end end = unwind_step(&walk->cfi, &registers, &exact, &reach);
		if (end != UNWIND_MORE)
			return end;
		if (WALK_MOST - walk->first == walk->limit)
			return UNWIND_FULL;
		if (exact || values[CFI_RSP] <= sp)
			reach_enter(&reach, walk, values[CFI_RSP]);
	}
}
