/*
 * DWARF call frame information: for a place in the code, how to get from the
 * registers there to those of the caller. Read straight out of .eh_frame in mapped
 * memory through the sorted table of .eh_frame_hdr; nothing is allocated.
 *
 * What is read is checked against the readable parts of the module, every block
 * against its length: odd data makes an error, never a crash.
 *
 * Register numbers are those of DWARF on x86-64.
 */
#ifndef WH_STACK_CFI_H
#define WH_STACK_CFI_H

#include "stack/modules.h"

enum cfi_register {
	CFI_RAX,
	CFI_RDX,
	CFI_RCX,
	CFI_RBX,
	CFI_RSI,
	CFI_RDI,
	CFI_RBP,
	CFI_RSP,
	CFI_R8,
	CFI_R9,
	CFI_R10,
	CFI_R11,
	CFI_R12,
	CFI_R13,
	CFI_R14,
	CFI_R15,
	CFI_RIP, /* the return address */
	CFI_REGISTERS,
};

/* Where the caller's value of a register is. */
enum cfi_how {
	CFI_UNSAID,    /* nothing is said: unchanged; rsp: the CFA */
	CFI_UNDEFINED, /* lost; of the return address: there is no caller */
	CFI_SAME,
	CFI_AT,            /* in memory at CFA + value */
	CFI_IS,            /* CFA + value itself */
	CFI_IN,            /* in register number `value` */
	CFI_AT_EXPRESSION, /* in memory where the expression says */
	CFI_IS_EXPRESSION, /* what the expression says */
};

struct cfi_place {
	uint8_t how;    /* enum cfi_how */
	uint8_t reg;    /* of the CFA alone: the register that `value` is added to, with CFI_IS */
	uint32_t bytes; /* of the expression */
	int64_t value;  /* or the address of the expression */
};

struct cfi_row {
	struct cfi_place cfa; /* CFI_IS: register + value; CFI_IS_EXPRESSION; CFI_UNSAID: none given */
	struct cfi_place registers[CFI_REGISTERS];
};

#define CFI_NESTED 6u /* states remembered within each other; compilers nest two at the most */

/* Room to work in: too much for a hook's stack. The result is `row` and `is_signal_frame`. */
struct cfi {
	struct cfi_row row;
	bool is_signal_frame; /* the caller was interrupted: its pc is exact, not a return address */
	struct module module;
	struct cfi_row initial, remembered[CFI_NESTED];
	/*
	 * Where unwind tables are copied before they are read, since they may be unmapped any moment;
	 * NULL: they belong to modules with frames on the caller's own stack and are read in place.
	 */
	uint8_t *copies;
};

#define CFI_COPY_BYTES 32768u /* of `copies` */

/*
 * The row for the instruction at `pc` (`exact`), or else for the call that returns to `pc`.
 * Return: 0; -ENOENT: `pc` is in no module; -ENODATA: its module says nothing about it; -EBADMSG: it
 * says it in a way that is not understood. cfi->module is set; its end is 0 with -ENOENT.
 *
 * Context: hook. `cfi` needs no initial value but that of `copies`.
 */
int cfi_find(struct cfi *cfi, uint64_t pc, bool exact);

/* The same within cfi->module. */
int cfi_find_in(struct cfi *cfi, uint64_t pc, bool exact);

/*
 * Whether `pc`, a return address that cfi_find has just found nothing about (-ENODATA), is the bottom of a stack all
 * the same. It is at the very start of a program or of the loader: what is written by hand there
 * (_dl_start_user of glibc, _start of others) has no caller. And where it is the first instruction of a
 * function: no call returns there, so it was put there by hand, for what is to run in the end (makecontext).
 * Context: hook.
 */
bool cfi_is_bottom(const struct cfi *cfi, uint64_t pc);

#endif
