#include "stack/unwind.h"

#include <errno.h>

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
static NOINLINE bool step_loaded(rule_bits rule, struct unwind_frame *at, struct reach *reach)
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
	*at = (struct unwind_frame){ .pc = pc, .sp = cfa, .bp = bp };
	return true;
}

enum unwind_end unwind_walk(struct walk *walk, const void *frame)
{
	const uint64_t *saved = frame;
	struct unwind_frame at = { .pc = saved[1], .sp = (uintptr_t)(saved + 2), .bp = saved[0] };
	struct reach reach = REACH_NOWHERE;
	bool exact = false;
	reach_enter(&reach, walk, at.sp);
	walk->first = STACK_MAX_FRAMES;
	for (;;) {
		rule_bits rule = rules_find(at.pc, exact);
		if (UNLIKELY(!rule))
			rule = rules_learn(&walk->cfi, at.pc, exact);
		walk->frames[--walk->first] = (struct unwind_frame){ .pc = at.pc, .sp = at.sp, .bp = at.bp, .rule = rule };
		if (UNLIKELY(STACK_MAX_FRAMES - walk->first == walk->limit))
			return rule_kind(rule) == RULE_OUTERMOST ? UNWIND_OUTERMOST : UNWIND_FULL;
		uint64_t sp = at.sp;
		switch (rule_kind(rule)) {
		case RULE_FROM_SP:
			at.sp += (uint64_t)rule_cfa(rule);
			break;
		case RULE_FROM_BP:
			at.sp = at.bp + (uint64_t)rule_cfa(rule);
			break;
		case RULE_LOADED_SP:
		case RULE_LOADED_BP:
			if (!step_loaded(rule, &at, &reach))
				return UNWIND_LOST;
			exact = rule_is_signal(rule);
			if (exact)
				reach_enter(&reach, walk, at.sp); /* maybe on another stack */
			if (!at.pc)
				return UNWIND_OUTERMOST;
			continue;
		case RULE_OUTERMOST:
			return UNWIND_OUTERMOST;
		case RULE_COMPLEX:
			return UNWIND_COMPLEX;
		default:
			return UNWIND_LOST;
		}
		/* The frame pointer first: its place may be the lower one. */
		if (rule_bp(rule) && !reach_word(&reach, at.sp + (uint64_t)rule_bp(rule), &at.bp))
			return UNWIND_LOST;
		if (!reach_word(&reach, at.sp - 8, &at.pc))
			return UNWIND_LOST;
		if (UNLIKELY(at.sp <= sp || at.sp - 8 >= reach.top))
			reach_enter(&reach, walk, at.sp); /* it went to another stack */
		if (!at.pc)
			return UNWIND_OUTERMOST; /* the bottom of a stack that was made by hand */
		exact = false;
	}
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
	walk->first = STACK_MAX_FRAMES;
	for (unsigned skipped = 0;;) {
		uint64_t sp = values[CFI_RSP];
		if (sp == wanted)
			reached = true;
		if (!reached && ++skipped > FRAMES_TO_US)
			return UNWIND_LOST;
		if (reached)
			walk->frames[--walk->first] = (struct unwind_frame){ .pc = values[CFI_RIP], .sp = sp, .rule = RULE_COMPLEX };
		enum unwind_end end = unwind_step(&walk->cfi, &registers, &exact, &reach);
		if (end != UNWIND_MORE)
			return end;
		if (STACK_MAX_FRAMES - walk->first == walk->limit)
			return UNWIND_FULL;
		if (exact || values[CFI_RSP] <= sp)
			reach_enter(&reach, walk, values[CFI_RSP]);
	}
}
