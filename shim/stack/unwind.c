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

/* What a walk knows at a frame. */
struct state {
	uint64_t sp, pc, bp;
};

/* The caller's registers by a RULE_LOADED_* rule. */
static NOINLINE bool step_loaded(rule_bits rule, struct state *at, struct reach *reach)
{
	uint64_t base = rule_kind(rule) == RULE_LOADED_SP ? at->sp : at->bp;
	uint64_t cfa, pc, bp = at->bp;
	if (!reach_word(reach, base + (uint64_t)rule_loaded_cfa(rule), &cfa))
		return false;
	if (rule_bp(rule) != RULE_NOWHERE && !reach_word(reach, base + (uint64_t)rule_bp(rule), &bp))
		return false;
	uint64_t pc_at = rule_loaded_pc(rule) == RULE_NOWHERE ? cfa - 8 : base + (uint64_t)rule_loaded_pc(rule);
	if (!reach_word(reach, pc_at, &pc))
		return false;
	*at = (struct state){ .sp = cfa, .pc = pc, .bp = bp };
	return true;
}

/* Where the walk is on the thread's own stack, the innermost frame of the last one that it may come to. */
static const struct unwind_frame *intact_frame(const struct walk *walk, const struct reach *reach, uint64_t sp)
{
	static const struct unwind_frame outside = { .sp = UINT64_MAX };
	const struct last *last = walk->last;
	if (!last || !reach->top || !last->count || last->generation != __atomic_load_n(&unwind_generation, __ATOMIC_RELAXED))
		return &outside;
	return &last->frames[last_intact(last, sp)];
}

enum unwind_end unwind_walk(struct walk *walk, const void *frame)
{
	const uint64_t *saved = frame;
	struct state at = { .sp = (uintptr_t)(saved + 2), .pc = saved[1], .bp = saved[0] };
	struct reach reach = REACH_NOWHERE;
	bool exact = false, odd = false, bp_used = false;
	uint32_t first = WALK_MOST;
	const uint32_t full = WALK_MOST - walk->limit;
	enum unwind_end end;
	reach_enter(&reach, walk, at.sp);
	const struct unwind_frame *intact = intact_frame(walk, &reach, at.sp);
	const struct rule_table *table = __atomic_load_n(&rule_table, __ATOMIC_ACQUIRE);
	uint32_t plain = WALK_MOST;
	walk->joined = 0;
	for (;;) {
		while (intact->sp < at.sp)
			intact--;
		if (intact->sp == at.sp && intact->pc == at.pc && !exact) {
			uint32_t number = (uint32_t)(intact - walk->last->frames);
			if (walk->last->bps[number] == BP_UNUSED || walk->last->bps[number] == at.bp) {
				walk->joined = number;
				end = UNWIND_JOINED;
				break;
			}
		}
		if (UNLIKELY(first == full)) {
			end = UNWIND_FULL;
			break;
		}
		rule_bits rule = rules_find_in(table, at.pc, exact);
		if (UNLIKELY(!rule)) {
			rule = rules_learn(&walk->cfi, at.pc, exact);
			table = __atomic_load_n(&rule_table, __ATOMIC_ACQUIRE);
		}
		first--;
		walk->frames[first] = (struct unwind_frame){ .sp = at.sp, .pc = at.pc };
		walk->steps[first] = (struct unwind_step){ .bp = at.bp, .rule = rule };
		if (UNLIKELY(odd || !reach.top)) {
			plain = first;
			odd = false;
		}
		uint64_t sp = at.sp;
		if (LIKELY(rule_kind(rule) == RULE_FROM_SP)) {
			at.sp += (uint64_t)rule_cfa(rule);
		} else if (rule_kind(rule) == RULE_FROM_BP) {
			at.sp = at.bp + (uint64_t)rule_cfa(rule);
			bp_used = true;
		} else if (rule_kind(rule) == RULE_LOADED_SP || rule_kind(rule) == RULE_LOADED_BP) {
			end = UNWIND_UNREADABLE;
			if (!step_loaded(rule, &at, &reach))
				break;
			end = UNWIND_OUTERMOST;
			if (!at.pc)
				break;
			exact = rule_is_signal(rule);
			reach_enter(&reach, walk, at.sp); /* maybe on another stack */
			intact = intact_frame(walk, &reach, at.sp);
			odd = true;
			continue;
		} else {
			end = rule_kind(rule) == RULE_OUTERMOST ? UNWIND_OUTERMOST :
			      rule_kind(rule) == RULE_COMPLEX	? UNWIND_COMPLEX :
								  UNWIND_LOST;
			break;
		}
		end = UNWIND_UNREADABLE;
		if (rule_bp(rule) && UNLIKELY(!reach_word(&reach, at.sp + (uint64_t)rule_bp(rule), &at.bp)))
			break;
		if (UNLIKELY(!reach_word(&reach, at.sp - 8, &at.pc)))
			break;
		if (UNLIKELY(at.sp <= sp || at.sp - 8 >= reach.top)) {
			/* It went to another stack, or is on one that is asked for page by page. */
			reach_enter(&reach, walk, at.sp);
			if (reach.top)
				intact = intact_frame(walk, &reach, at.sp);
			odd = true;
		}
		end = UNWIND_OUTERMOST;
		if (UNLIKELY(!at.pc))
			break; /* the bottom of a stack that was made by hand */
		exact = false;
	}
	walk->first = first;
	walk->plain = odd ? first : plain;
	walk->bp_used = bp_used;
	return end;
}

/* -- with all registers ------------------------------------------------------ */

#define CALLEE_SAVED                                                                                      \
	(1u << CFI_RBX | 1u << CFI_RBP | 1u << CFI_R12 | 1u << CFI_R13 | 1u << CFI_R14 | 1u << CFI_R15 | \
	 1u << CFI_RSP | 1u << CFI_RIP)

static bool place_value(const struct cfi_place *place, const struct registers *registers, uint64_t cfa, struct reach *reach,
			uint64_t *ret_value)
{
	struct expression_value value;
	switch (place->how) {
	case CFI_AT:
		return reach_word(reach, cfa + (uint64_t)place->value, ret_value);
	case CFI_IS:
		*ret_value = cfa + (uint64_t)place->value;
		return true;
	case CFI_IN:
		if (place->value < 0 || place->value >= CFI_REGISTERS || !(registers->known & (1u << place->value)))
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

static bool cfa_value(const struct cfi_place *place, const struct registers *registers, struct reach *reach, uint64_t *ret_cfa)
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
			walk->frames[--walk->first] = (struct unwind_frame){ .sp = sp, .pc = values[CFI_RIP] };
		enum unwind_end end = unwind_step(&walk->cfi, &registers, &exact, &reach);
		if (end != UNWIND_MORE)
			return end;
		if (WALK_MOST - walk->first == walk->limit)
			return UNWIND_FULL;
		if (exact || values[CFI_RSP] <= sp)
			reach_enter(&reach, walk, values[CFI_RSP]);
	}
}
