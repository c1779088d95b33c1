#include "stack/expression.h"

#include "stack/dwarf.h"

enum {
	OP_ADDR = 0x03,
	OP_DEREF = 0x06,
	OP_CONST1U = 0x08,
	OP_CONST1S,
	OP_CONST2U,
	OP_CONST2S,
	OP_CONST4U,
	OP_CONST4S,
	OP_CONST8U,
	OP_CONST8S,
	OP_CONSTU,
	OP_CONSTS,
	OP_DUP,
	OP_DROP,
	OP_OVER,
	OP_PICK,
	OP_SWAP,
	OP_ROT,
	OP_ABS = 0x19,
	OP_AND,
	OP_DIV,
	OP_MINUS,
	OP_MOD,
	OP_MUL,
	OP_NEG,
	OP_NOT,
	OP_OR,
	OP_PLUS,
	OP_PLUS_UCONST,
	OP_SHL,
	OP_SHR,
	OP_SHRA,
	OP_XOR,
	OP_BRA,
	OP_EQ,
	OP_GE,
	OP_GT,
	OP_LE,
	OP_LT,
	OP_NE,
	OP_SKIP,
	OP_LIT0 = 0x30,
	OP_LIT31 = 0x4f,
	OP_BREG0 = 0x70,
	OP_BREG31 = 0x8f,
	OP_BREGX = 0x92,
	OP_DEREF_SIZE = 0x94,
	OP_NOP = 0x96,
};

#define STACK_MOST 10  /* the deepest known is that of PLT stubs: 3 */
#define STEPS_MOST 256 /* expressions can loop */

struct machine {
	struct expression_value stack[STACK_MOST];
	unsigned depth;
	bool bad;
};

static void push(struct machine *machine, struct expression_value value)
{
	if (machine->depth == STACK_MOST)
		machine->bad = true;
	else
		machine->stack[machine->depth++] = value;
}

static void push_number(struct machine *machine, uint64_t number)
{
	push(machine, (struct expression_value){ .kind = EXPRESSION_NUMBER, .add = number });
}

static struct expression_value pop(struct machine *machine)
{
	if (machine->depth)
		return machine->stack[--machine->depth];
	machine->bad = true;
	return (struct expression_value){ 0 };
}

static uint64_t pop_number(struct machine *machine)
{
	struct expression_value value = pop(machine);
	if (value.kind != EXPRESSION_NUMBER)
		machine->bad = true;
	return value.add;
}

static void pick(struct machine *machine, uint64_t index)
{
	if (index >= machine->depth)
		machine->bad = true;
	else
		push(machine, machine->stack[machine->depth - 1 - index]);
}

static void push_register(struct machine *machine, const struct registers *registers, uint64_t reg,
			  int64_t add)
{
	if (reg >= CFI_REGISTERS)
		machine->bad = true;
	else if (registers->known & (1u << reg))
		push_number(machine, registers->values[reg] + (uint64_t)add);
	else
		push(machine, (struct expression_value){
				  .kind = EXPRESSION_SUM, .reg = (uint8_t)reg, .add = (uint64_t)add });
}

static void load(struct machine *machine, struct reach *reach, uint64_t bytes)
{
	struct expression_value value = pop(machine);
	if (value.kind == EXPRESSION_SUM && bytes == 8) {
		push(machine, (struct expression_value){
				  .kind = EXPRESSION_LOADED, .reg = value.reg, .inner = value.add });
		return;
	}
	uint64_t word;
	uint64_t within = value.add % 8 * 8;
	if (value.kind != EXPRESSION_NUMBER || !reach || !bytes || bytes > 8 || within + bytes * 8 > 64 ||
	    !reach_word(reach, value.add & ~UINT64_C(7), &word)) {
		machine->bad = true;
		return;
	}
	push_number(machine, bytes == 8 ? word : (word >> within) & ((UINT64_C(1) << (bytes * 8)) - 1));
}

/* Sums are all that unknown values can take part in. */
static void add(struct machine *machine, bool subtract)
{
	struct expression_value right = pop(machine);
	struct expression_value left = pop(machine);
	if (left.kind == EXPRESSION_NUMBER && right.kind != EXPRESSION_NUMBER && !subtract) {
		right.add += left.add;
		push(machine, right);
		return;
	}
	if (right.kind != EXPRESSION_NUMBER) {
		machine->bad = true;
		return;
	}
	left.add += subtract ? -right.add : right.add;
	push(machine, left);
}

static void calculate(struct machine *machine, uint8_t op)
{
	uint64_t right = pop_number(machine);
	uint64_t left = pop_number(machine);
	int64_t r = (int64_t)right, l = (int64_t)left;
	uint64_t result = 0;
	switch (op) {
	case OP_AND:
		result = left & right;
		break;
	case OP_OR:
		result = left | right;
		break;
	case OP_XOR:
		result = left ^ right;
		break;
	case OP_MUL:
		result = left * right;
		break;
	case OP_SHL:
		result = right < 64 ? left << right : 0;
		break;
	case OP_SHR:
		result = right < 64 ? left >> right : 0;
		break;
	case OP_SHRA:
		result = (uint64_t)(l >> (right < 64 ? right : 63));
		break;
	case OP_EQ:
		result = l == r;
		break;
	case OP_GE:
		result = l >= r;
		break;
	case OP_GT:
		result = l > r;
		break;
	case OP_LE:
		result = l <= r;
		break;
	case OP_LT:
		result = l < r;
		break;
	case OP_NE:
		result = l != r;
		break;
	case OP_DIV:
	case OP_MOD:
		if (!r || (l == INT64_MIN && r == -1))
			machine->bad = true;
		else
			result = op == OP_DIV ? (uint64_t)(l / r) : left % right;
		break;
	default:
		machine->bad = true;
	}
	push_number(machine, result);
}

static void rotate(struct machine *machine, unsigned count)
{
	if (machine->depth < count) {
		machine->bad = true;
		return;
	}
	struct expression_value *at = &machine->stack[machine->depth - count];
	struct expression_value top = at[count - 1];
	for (unsigned i = count - 1; i > 0; i--)
		at[i] = at[i - 1];
	at[0] = top;
}

static void jump(struct machine *machine, struct dwarf *code, const uint8_t *start)
{
	int64_t by = dwarf_signed(code, 2);
	if (by < start - code->at || by > code->end - code->at)
		machine->bad = true;
	else
		code->at += by;
}

bool expression_run(const struct cfi_place *place, const struct registers *registers, const uint64_t *cfa,
		    struct reach *reach, struct expression_value *ret_value)
{
	const uint8_t *start = (const uint8_t *)place->value;
	struct dwarf code = { .at = start, .end = start + place->bytes };
	struct machine machine = { .depth = 0 };
	if (cfa)
		push_number(&machine, *cfa);
	for (unsigned steps = 0; code.at < code.end && !code.bad && !machine.bad; steps++) {
		uint8_t op = (uint8_t)dwarf_fixed(&code, 1);
		uint64_t number;
		if (steps == STEPS_MOST)
			return false;
		if (op >= OP_LIT0 && op <= OP_LIT31) {
			push_number(&machine, op - OP_LIT0);
			continue;
		}
		if (op >= OP_BREG0 && op <= OP_BREG31) {
			push_register(&machine, registers, op - OP_BREG0, dwarf_sleb(&code));
			continue;
		}
		switch (op) {
		case OP_NOP:
			break;
		case OP_ADDR:
		case OP_CONST8U:
		case OP_CONST8S:
			push_number(&machine, dwarf_fixed(&code, 8));
			break;
		case OP_CONST1U:
			push_number(&machine, dwarf_fixed(&code, 1));
			break;
		case OP_CONST1S:
			push_number(&machine, (uint64_t)dwarf_signed(&code, 1));
			break;
		case OP_CONST2U:
			push_number(&machine, dwarf_fixed(&code, 2));
			break;
		case OP_CONST2S:
			push_number(&machine, (uint64_t)dwarf_signed(&code, 2));
			break;
		case OP_CONST4U:
			push_number(&machine, dwarf_fixed(&code, 4));
			break;
		case OP_CONST4S:
			push_number(&machine, (uint64_t)dwarf_signed(&code, 4));
			break;
		case OP_CONSTU:
			push_number(&machine, dwarf_uleb(&code));
			break;
		case OP_CONSTS:
			push_number(&machine, (uint64_t)dwarf_sleb(&code));
			break;
		case OP_BREGX:
			number = dwarf_uleb(&code);
			push_register(&machine, registers, number, dwarf_sleb(&code));
			break;
		case OP_DUP:
			pick(&machine, 0);
			break;
		case OP_OVER:
			pick(&machine, 1);
			break;
		case OP_PICK:
			pick(&machine, dwarf_fixed(&code, 1));
			break;
		case OP_DROP:
			pop(&machine);
			break;
		case OP_SWAP:
			rotate(&machine, 2);
			break;
		case OP_ROT:
			rotate(&machine, 3);
			break;
		case OP_DEREF:
			load(&machine, reach, 8);
			break;
		case OP_DEREF_SIZE:
			load(&machine, reach, dwarf_fixed(&code, 1));
			break;
		case OP_PLUS:
			add(&machine, false);
			break;
		case OP_MINUS:
			add(&machine, true);
			break;
		case OP_PLUS_UCONST:
			push_number(&machine, dwarf_uleb(&code));
			add(&machine, false);
			break;
		case OP_NEG:
			push_number(&machine, -pop_number(&machine));
			break;
		case OP_NOT:
			push_number(&machine, ~pop_number(&machine));
			break;
		case OP_ABS:
			number = pop_number(&machine);
			push_number(&machine, (int64_t)number < 0 ? -number : number);
			break;
		case OP_SKIP:
			jump(&machine, &code, start);
			break;
		case OP_BRA:
			if (pop_number(&machine))
				jump(&machine, &code, start);
			else
				dwarf_fixed(&code, 2);
			break;
		default:
			calculate(&machine, op);
		}
	}
	if (!machine.depth || machine.bad || code.bad)
		return false;
	*ret_value = machine.stack[machine.depth - 1];
	return true;
}
