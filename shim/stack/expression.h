/*
 * DWARF expressions in call frame information. They are run over values that may
 * be partly unknown: so one and the same interpreter works out an address from registers, and
 * reduces an expression over registers not known yet to "register + offset" or "word at
 * register + offset", which is all that most of them are.
 */
#ifndef WH_STACK_EXPRESSION_H
#define WH_STACK_EXPRESSION_H

#include "stack/cfi.h"
#include "stack/memory.h"

struct registers {
	uint64_t values[CFI_REGISTERS];
	uint32_t known; /* a bit each */
};

enum expression_kind {
	EXPRESSION_NUMBER, /* add */
	EXPRESSION_SUM,    /* register + add */
	EXPRESSION_LOADED, /* the word at (register + inner), + add */
};

struct expression_value {
	uint8_t kind; /* enum expression_kind */
	uint8_t reg;
	uint64_t add, inner;
};

/*
 * Runs the expression of `place` with the CFA pushed first where `cfa` is given. Registers that are not known
 * stay symbols. Memory is read through `reach`; NULL: a word at a known address can't be had.
 * Return: false: it is not valid, or too much for values of these three kinds.
 *
 * Context: hook.
 */
bool expression_run(const struct cfi_place *place, const struct registers *registers, const uint64_t *cfa,
		    struct reach *reach, struct expression_value *ret_value);

#endif
