#include "reporter/symbolize/debug.h"

#include <stdlib.h>

#include <dwarf.h>

#include "reporter/symbolize/walk.h"

/*
 * What a frame's variables are counted from, in bytes above the frame's end. gcc counts from the end itself (the
 * canonical frame address), clang from a register, which the unwind tables must count the end from as well.
 */
static bool frame_base(Dwarf_CFI *unwind, uint64_t unwind_address, Dwarf_Die *function, uint64_t address,
		       int64_t *ret_base)
{
	Dwarf_Attribute attribute;
	Dwarf_Op *ops;
	size_t count;
	if (!dwarf_attr_integrate(function, DW_AT_frame_base, &attribute) ||
	    dwarf_getlocation_addr(&attribute, address, &ops, &count, 1) != 1 || count != 1)
		return false;
	uint8_t atom = ops[0].atom;
	*ret_base = 0;
	if (atom == DW_OP_call_frame_cfa)
		return true;
	uint64_t number;
	if (atom >= DW_OP_reg0 && atom <= DW_OP_reg31) {
		number = atom - DW_OP_reg0;
	} else if (atom >= DW_OP_breg0 && atom <= DW_OP_breg31) {
		number = atom - DW_OP_breg0;
		*ret_base = (int64_t)ops[0].number;
	} else {
		return false;
	}
	Dwarf_Frame *frame = NULL;
	if (!unwind || dwarf_cfi_addrframe(unwind, unwind_address, &frame) != 0)
		return false;
	bool good = dwarf_frame_cfa(frame, &ops, &count) == 0 && count == 1;
	if (good && ops[0].atom >= DW_OP_breg0 && ops[0].atom <= DW_OP_breg31) {
		good = number == (uint64_t)(ops[0].atom - DW_OP_breg0);
		*ret_base -= good ? (int64_t)ops[0].number : 0;
	} else if (good) {
		good = ops[0].atom == DW_OP_bregx && ops[0].number == number;
		*ret_base -= good ? (int64_t)ops[0].number2 : 0;
	}
	free(frame);
	return good;
}

/* Whether the variable holds the byte `offset` bytes above the frame's end; where it starts, in the same count. */
static bool holds_byte(Dwarf_Die *die, uint64_t address, int64_t base, int64_t offset, int64_t *ret_start)
{
	Dwarf_Attribute attribute;
	Dwarf_Die type;
	Dwarf_Op *ops;
	size_t count;
	uint64_t bytes;
	if (!dwarf_attr_integrate(die, DW_AT_location, &attribute) ||
	    dwarf_getlocation_addr(&attribute, address, &ops, &count, 1) != 1 || count != 1 ||
	    ops[0].atom != DW_OP_fbreg)
		return false;
	int64_t start = base + (int64_t)ops[0].number;
	if (!dwarf_attr_integrate(die, DW_AT_type, &attribute) || !dwarf_formref_die(&attribute, &type) ||
	    !debug_type_bytes(&type, &bytes))
		return false;
	*ret_start = start;
	return offset >= start && (uint64_t)(offset - start) < bytes;
}

/* Whether what is inside of it may be in use at `address`: a block or an inlined call that begins and ends elsewhere is not. */
static bool is_around(Dwarf_Die *die, int tag, uint64_t address)
{
	if (tag != DW_TAG_lexical_block && tag != DW_TAG_inlined_subroutine)
		return false;
	return (!dwarf_hasattr(die, DW_AT_low_pc) && !dwarf_hasattr(die, DW_AT_ranges)) ||
	       dwarf_haspc(die, address) == 1;
}

bool debug_local(struct debug *debug, Dwarf_CFI *unwind, uint64_t unwind_address, uint64_t address,
		 uint64_t below, char *buffer, size_t size, struct frame *ret_variable)
{
	struct function *function;
	struct variable found = { .bytes = 0 };
	int64_t base;
	int64_t start;
	bool any = false;
	struct unit *unit = debug_unit(debug, address, &function);
	if (!unit || !function || below > INT64_MAX ||
	    !frame_base(unwind, unwind_address, &function->die, address, &base))
		return false;
	struct walk walk;
	for (bool more = walk_begin(&walk, &function->die); more;) {
		int tag = dwarf_tag(&walk.die);
		if ((tag == DW_TAG_variable || tag == DW_TAG_formal_parameter) &&
		    holds_byte(&walk.die, address, base, -(int64_t)below, &start)) {
			/* Two that share their memory: which of them is in use can't be told. */
			if (any)
				return false;
			any = true;
			found.die = walk.die;
			found.address = (uint64_t)start;
		}
		more = walk_next(&walk, !is_around(&walk.die, tag, address));
	}
	if (!any)
		return false;
	debug_member(debug, &found, dwarf_diename(&found.die), -below, buffer, size);
	debug_declared(debug, unit, &found.die, ret_variable);
	return true;
}
