#include "stack/cfi.h"

#include <errno.h>

#include "stack/dwarf.h"
#include "stack/memory.h"

/* Pointer encodings (DW_EH_PE_*). */
enum {
	ENC_ABSOLUTE = 0x00,
	ENC_ULEB = 0x01,
	ENC_U2 = 0x02,
	ENC_U4 = 0x03,
	ENC_U8 = 0x04,
	ENC_SLEB = 0x09,
	ENC_S2 = 0x0a,
	ENC_S4 = 0x0b,
	ENC_S8 = 0x0c,
	ENC_FORM = 0x0f,
	ENC_BASE = 0x70,
	ENC_PC = 0x10,
	ENC_DATA = 0x30,
	ENC_OMIT = 0xff,
};

/* Call frame instructions (DW_CFA_*). The first three carry an operand in their low six bits. */
enum {
	OP_ADVANCE = 0x40,
	OP_OFFSET = 0x80,
	OP_RESTORE = 0xc0,
	OP_HIGH = 0xc0,
	OP_NOP = 0x00,
	OP_SET_LOC = 0x01,
	OP_ADVANCE1 = 0x02,
	OP_ADVANCE2 = 0x03,
	OP_ADVANCE4 = 0x04,
	OP_OFFSET_EXTENDED = 0x05,
	OP_RESTORE_EXTENDED = 0x06,
	OP_UNDEFINED = 0x07,
	OP_SAME = 0x08,
	OP_REGISTER = 0x09,
	OP_REMEMBER = 0x0a,
	OP_RECALL = 0x0b,
	OP_CFA = 0x0c,
	OP_CFA_REGISTER = 0x0d,
	OP_CFA_OFFSET = 0x0e,
	OP_CFA_EXPRESSION = 0x0f,
	OP_EXPRESSION = 0x10,
	OP_OFFSET_SIGNED = 0x11,
	OP_CFA_SIGNED = 0x12,
	OP_CFA_OFFSET_SIGNED = 0x13,
	OP_VAL_OFFSET = 0x14,
	OP_VAL_OFFSET_SIGNED = 0x15,
	OP_VAL_EXPRESSION = 0x16,
	OP_ADVANCE8 = 0x1d,
	OP_ARGUMENTS_SIZE = 0x2e,
	OP_OFFSET_NEGATIVE = 0x2f,
};

/* What a CIE says for all of its FDEs. */
struct common {
	uint64_t code_align;
	int64_t data_align;
	uint64_t return_register;
	uint8_t encoding; /* of the addresses in FDEs */
	bool augmented;   /* an FDE has a block of augmentation data, whose size is given */
	bool signal;
	struct dwarf program;
};

/* -- access ----------------------------------------------------------------- */

enum copy { COPY_TABLE, COPY_FDE, COPY_CIE };

static const struct {
	uint32_t offset, bytes;
} copies[] = {
	[COPY_TABLE] = { 0, 64 },
	[COPY_FDE] = { 64, 24576 },
	[COPY_CIE] = { 64 + 24576, CFI_COPY_BYTES - 64 - 24576 },
};

/* `bytes` bytes of the module to read from; false where they are not there. */
static bool fetch(const struct cfi *cfi, enum copy copy, uint64_t address, uint64_t bytes,
		  struct dwarf *ret_dwarf)
{
	if (!module_covers(&cfi->module, address, bytes))
		return false;
	uint8_t *at = (uint8_t *)address;
	if (cfi->copies) {
		at = cfi->copies + copies[copy].offset;
		if (bytes > copies[copy].bytes || !memory_copy(at, address, bytes))
			return false;
	}
	*ret_dwarf = (struct dwarf){ .at = at, .end = at + bytes, .shift = address - (uintptr_t)at };
	return true;
}

/* A whole CIE or FDE, behind its length. Return: 0, 1: the end of the section, -EBADMSG. */
static int fetch_entry(const struct cfi *cfi, enum copy copy, uint64_t address, struct dwarf *ret_entry)
{
	struct dwarf head;
	if (!fetch(cfi, copy, address, 4, &head))
		return -EBADMSG;
	uint64_t bytes = dwarf_fixed(&head, 4);
	if (!bytes)
		return 1;
	address += 4;
	if (bytes == UINT32_MAX) {
		if (!fetch(cfi, copy, address, 8, &head))
			return -EBADMSG;
		bytes = dwarf_fixed(&head, 8);
		address += 8;
	}
	return fetch(cfi, copy, address, bytes, ret_entry) ? 0 : -EBADMSG;
}

static uint64_t read_encoded(struct dwarf *dwarf, uint8_t encoding, uint64_t data)
{
	uint64_t here = (uintptr_t)dwarf->at + dwarf->shift, value;
	switch (encoding & ENC_FORM) {
	case ENC_ABSOLUTE:
	case ENC_U8:
	case ENC_S8:
		value = dwarf_fixed(dwarf, 8);
		break;
	case ENC_ULEB:
		value = dwarf_uleb(dwarf);
		break;
	case ENC_U2:
		value = dwarf_fixed(dwarf, 2);
		break;
	case ENC_U4:
		value = dwarf_fixed(dwarf, 4);
		break;
	case ENC_SLEB:
		value = (uint64_t)dwarf_sleb(dwarf);
		break;
	case ENC_S2:
		value = (uint64_t)dwarf_signed(dwarf, 2);
		break;
	case ENC_S4:
		value = (uint64_t)dwarf_signed(dwarf, 4);
		break;
	default:
		dwarf->bad = true;
		return 0;
	}
	switch (encoding & ENC_BASE) {
	case 0:
		return value;
	case ENC_PC:
		return value + here;
	case ENC_DATA:
		return value + data;
	default:
		dwarf->bad = true;
		return 0;
	}
}

/* -- CIE and FDE ------------------------------------------------------------ */

static int read_common(const struct cfi *cfi, uint64_t address, struct common *ret_common)
{
	struct dwarf cie;
	if (fetch_entry(cfi, COPY_CIE, address, &cie) != 0)
		return -EBADMSG;
	struct common common = { .encoding = ENC_ABSOLUTE };
	if (dwarf_fixed(&cie, 4) != 0)
		return -EBADMSG; /* it is an FDE */
	uint64_t version = dwarf_fixed(&cie, 1);
	if (version != 1 && version != 3)
		return -EBADMSG;
	const char *augmentation = (const char *)cie.at;
	while (dwarf_fixed(&cie, 1))
		continue;
	common.code_align = dwarf_uleb(&cie);
	common.data_align = dwarf_sleb(&cie);
	common.return_register = version == 1 ? dwarf_fixed(&cie, 1) : dwarf_uleb(&cie);
	if (cie.bad)
		return -EBADMSG;
	if (*augmentation == 'z') {
		uint64_t bytes = dwarf_uleb(&cie);
		const uint8_t *block = dwarf_block(&cie, bytes);
		if (!block)
			return -EBADMSG;
		struct dwarf data = { .at = block, .end = block + bytes, .shift = cie.shift };
		common.augmented = true;
		for (const char *letter = augmentation + 1; *letter; letter++) {
			if (*letter == 'R') {
				common.encoding = (uint8_t)dwarf_fixed(&data, 1);
			} else if (*letter == 'P') {
				uint8_t encoding = (uint8_t)dwarf_fixed(&data, 1);
				read_encoded(&data, encoding, 0);
			} else if (*letter == 'L') {
				dwarf_fixed(&data, 1);
			} else if (*letter == 'S') {
				common.signal = true;
			} else {
				return -EBADMSG;
			}
		}
		if (data.bad)
			return -EBADMSG;
	} else if (*augmentation) {
		return -EBADMSG;
	}
	common.program = cie;
	*ret_common = common;
	return 0;
}

/*
 * Reads the FDE at `address` and its CIE. Return: 0: it is for `pc`; 1: it is not;
 * -ENODATA: it is a CIE, or the end of the section; -EBADMSG.
 */
static int read_fde(const struct cfi *cfi, uint64_t address, uint64_t pc, struct common *ret_common,
		    struct dwarf *ret_program, uint64_t *ret_start)
{
	struct dwarf fde;
	int kind = fetch_entry(cfi, COPY_FDE, address, &fde);
	if (kind)
		return kind > 0 ? -ENODATA : kind;
	uint64_t here = (uintptr_t)fde.at + fde.shift;
	uint64_t back = dwarf_fixed(&fde, 4);
	if (!back)
		return -ENODATA;
	if (read_common(cfi, here - back, ret_common) < 0)
		return -EBADMSG;
	uint64_t start = read_encoded(&fde, ret_common->encoding, 0);
	uint64_t bytes = read_encoded(&fde, ret_common->encoding & ENC_FORM, 0);
	if (ret_common->augmented)
		dwarf_block(&fde, dwarf_uleb(&fde));
	if (fde.bad)
		return -EBADMSG;
	*ret_program = fde;
	*ret_start = start;
	return pc - start < bytes ? 0 : 1;
}

/* Goes through .eh_frame from its start: for modules whose header has no table. */
static int search_all(const struct cfi *cfi, uint64_t section, uint64_t pc, struct common *ret_common,
		      struct dwarf *ret_program, uint64_t *ret_start)
{
	for (uint64_t address = section;;) {
		struct dwarf entry;
		int kind = fetch_entry(cfi, COPY_FDE, address, &entry);
		if (kind)
			return kind > 0 ? -ENODATA : kind;
		uint64_t next = (uintptr_t)entry.end + entry.shift;
		if (read_fde(cfi, address, pc, ret_common, ret_program, ret_start) == 0)
			return 0;
		address = next;
	}
}

static int find_fde(const struct cfi *cfi, uint64_t pc, struct common *ret_common, struct dwarf *ret_program,
		    uint64_t *ret_start)
{
	uint64_t base = cfi->module.unwind;
	struct dwarf head;
	if (!base)
		return -ENODATA;
	/* Four bytes and two encoded numbers of up to eight bytes; fewer lie behind a tiny header. */
	if (!fetch(cfi, COPY_TABLE, base, 20, &head) && !fetch(cfi, COPY_TABLE, base, 12, &head))
		return -EBADMSG;
	uint64_t version = dwarf_fixed(&head, 1);
	uint8_t section_encoding = (uint8_t)dwarf_fixed(&head, 1);
	uint8_t count_encoding = (uint8_t)dwarf_fixed(&head, 1);
	uint8_t table_encoding = (uint8_t)dwarf_fixed(&head, 1);
	if (version != 1 || section_encoding == ENC_OMIT)
		return -EBADMSG;
	uint64_t section = read_encoded(&head, section_encoding, base);
	if (head.bad)
		return -EBADMSG;
	if (count_encoding == ENC_OMIT || table_encoding != (ENC_DATA | ENC_S4))
		return search_all(cfi, section, pc, ret_common, ret_program, ret_start);
	uint64_t count = read_encoded(&head, count_encoding, base);
	uint64_t table = (uintptr_t)head.at + head.shift;
	if (head.bad || count > (UINT64_C(1) << 32) || !module_covers(&cfi->module, table, count * 8))
		return -EBADMSG;

	/* Pairs of function and FDE, relative to the header, by function: the last that is not behind pc. */
	uint64_t low = 0, high = count;
	while (low < high) {
		uint64_t middle = low + (high - low) / 2;
		struct dwarf pair;
		if (!fetch(cfi, COPY_TABLE, table + middle * 8, 4, &pair))
			return -EBADMSG;
		if (base + (uint64_t)dwarf_signed(&pair, 4) <= pc)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low)
		return -ENODATA;
	struct dwarf pair;
	if (!fetch(cfi, COPY_TABLE, table + (low - 1) * 8 + 4, 4, &pair))
		return -EBADMSG;
	int found =
	    read_fde(cfi, base + (uint64_t)dwarf_signed(&pair, 4), pc, ret_common, ret_program, ret_start);
	return found > 0 ? -ENODATA : found;
}

/* -- the program ------------------------------------------------------------ */

static void set(struct cfi_row *row, uint64_t reg, enum cfi_how how, int64_t value)
{
	/* Registers beyond those that we follow (vectors, flags) are none of our business. */
	if (reg < CFI_REGISTERS)
		row->registers[reg] = (struct cfi_place){ .how = (uint8_t)how, .value = value };
}

static void set_expression(struct dwarf *dwarf, struct cfi_place *place, enum cfi_how how)
{
	uint64_t bytes = dwarf_uleb(dwarf);
	const uint8_t *block = dwarf_block(dwarf, bytes);
	if (block && place)
		*place = (struct cfi_place){ .how = (uint8_t)how,
					     .bytes = (uint32_t)bytes,
					     .value = (intptr_t)block };
}

static void set_cfa(struct cfi_row *row, uint64_t reg, int64_t value)
{
	row->cfa = (struct cfi_place){ .how = reg < CFI_RIP ? CFI_IS : CFI_UNSAID,
				       .reg = (uint8_t)reg,
				       .value = value };
}

static struct cfi_place *place_of(struct cfi_row *row, uint64_t reg)
{
	return reg < CFI_REGISTERS ? &row->registers[reg] : NULL;
}

static void restore(struct cfi *cfi, uint64_t reg)
{
	if (reg < CFI_REGISTERS)
		cfi->row.registers[reg] = cfi->initial.registers[reg];
}

/* A factored offset; unsigned inside, since hostile data may overflow it. */
static int64_t scaled(uint64_t factor, const struct common *common)
{
	return (int64_t)(factor * (uint64_t)common->data_align);
}

/* Runs instructions from the row of `location` on, until it is that of `pc` or the program ends. */
static int run(struct cfi *cfi, struct dwarf *program, const struct common *common, uint64_t location,
	       uint64_t pc)
{
	struct cfi_row *row = &cfi->row;
	unsigned nested = 0;
	while (program->at < program->end && !program->bad) {
		uint8_t op = (uint8_t)dwarf_fixed(program, 1);
		uint64_t low = op & ~OP_HIGH, reg;
		uint64_t advance = 0;
		switch (op & OP_HIGH ? op & OP_HIGH : op) {
		case OP_NOP:
			break;
		case OP_ADVANCE:
			advance = low;
			break;
		case OP_ADVANCE1:
			advance = dwarf_fixed(program, 1);
			break;
		case OP_ADVANCE2:
			advance = dwarf_fixed(program, 2);
			break;
		case OP_ADVANCE4:
			advance = dwarf_fixed(program, 4);
			break;
		case OP_ADVANCE8:
			advance = dwarf_fixed(program, 8);
			break;
		case OP_SET_LOC:
			location = read_encoded(program, common->encoding, 0);
			if (location > pc)
				return program->bad ? -EBADMSG : 0;
			break;
		case OP_OFFSET:
			set(row, low, CFI_AT, scaled(dwarf_uleb(program), common));
			break;
		case OP_OFFSET_EXTENDED:
			reg = dwarf_uleb(program);
			set(row, reg, CFI_AT, scaled(dwarf_uleb(program), common));
			break;
		case OP_OFFSET_SIGNED:
			reg = dwarf_uleb(program);
			set(row, reg, CFI_AT, scaled((uint64_t)dwarf_sleb(program), common));
			break;
		case OP_OFFSET_NEGATIVE:
			reg = dwarf_uleb(program);
			set(row, reg, CFI_AT, (int64_t) - (uint64_t)scaled(dwarf_uleb(program), common));
			break;
		case OP_VAL_OFFSET:
			reg = dwarf_uleb(program);
			set(row, reg, CFI_IS, scaled(dwarf_uleb(program), common));
			break;
		case OP_VAL_OFFSET_SIGNED:
			reg = dwarf_uleb(program);
			set(row, reg, CFI_IS, scaled((uint64_t)dwarf_sleb(program), common));
			break;
		case OP_RESTORE:
			restore(cfi, low);
			break;
		case OP_RESTORE_EXTENDED:
			restore(cfi, dwarf_uleb(program));
			break;
		case OP_UNDEFINED:
			set(row, dwarf_uleb(program), CFI_UNDEFINED, 0);
			break;
		case OP_SAME:
			set(row, dwarf_uleb(program), CFI_SAME, 0);
			break;
		case OP_REGISTER:
			reg = dwarf_uleb(program);
			set(row, reg, CFI_IN, (int64_t)dwarf_uleb(program));
			break;
		case OP_EXPRESSION:
			reg = dwarf_uleb(program);
			set_expression(program, place_of(row, reg), CFI_AT_EXPRESSION);
			break;
		case OP_VAL_EXPRESSION:
			reg = dwarf_uleb(program);
			set_expression(program, place_of(row, reg), CFI_IS_EXPRESSION);
			break;
		case OP_CFA:
			reg = dwarf_uleb(program);
			set_cfa(row, reg, (int64_t)dwarf_uleb(program));
			break;
		case OP_CFA_SIGNED:
			reg = dwarf_uleb(program);
			set_cfa(row, reg, scaled((uint64_t)dwarf_sleb(program), common));
			break;
		case OP_CFA_REGISTER:
			if (row->cfa.how != CFI_IS)
				return -EBADMSG;
			set_cfa(row, dwarf_uleb(program), row->cfa.value);
			break;
		case OP_CFA_OFFSET:
			if (row->cfa.how != CFI_IS)
				return -EBADMSG;
			row->cfa.value = (int64_t)dwarf_uleb(program);
			break;
		case OP_CFA_OFFSET_SIGNED:
			if (row->cfa.how != CFI_IS)
				return -EBADMSG;
			row->cfa.value = scaled((uint64_t)dwarf_sleb(program), common);
			break;
		case OP_CFA_EXPRESSION:
			set_expression(program, &row->cfa, CFI_IS_EXPRESSION);
			break;
		case OP_REMEMBER:
			if (nested == CFI_NESTED)
				return -EBADMSG;
			cfi->remembered[nested++] = *row;
			break;
		case OP_RECALL:
			if (!nested)
				return -EBADMSG;
			*row = cfi->remembered[--nested];
			break;
		case OP_ARGUMENTS_SIZE:
			dwarf_uleb(program);
			break;
		default:
			return -EBADMSG;
		}
		if (advance) {
			location += advance * common->code_align;
			if (location > pc)
				break;
		}
	}
	return program->bad ? -EBADMSG : 0;
}

bool cfi_is_bottom(const struct cfi *cfi, uint64_t pc)
{
	const uint64_t longest = 128; /* _start and _dl_start_user of glibc are 90 bytes together */
	if (cfi->module.entry && pc - cfi->module.entry < longest)
		return true;
	struct common common;
	struct dwarf program;
	uint64_t start;
	return find_fde(cfi, pc, &common, &program, &start) == 0 && start == pc;
}

int cfi_find_in(struct cfi *cfi, uint64_t pc, bool exact)
{
	struct common common;
	struct dwarf program;
	uint64_t start;
	if (!exact)
		pc--; /* of a call at the very end of a function the return address is behind it */
	int error = find_fde(cfi, pc, &common, &program, &start);
	if (error)
		return error;
	if (common.return_register != CFI_RIP)
		return -EBADMSG;
	cfi->is_signal_frame = common.signal;
	memset(&cfi->row, 0, sizeof cfi->row);
	if (run(cfi, &common.program, &common, 0, UINT64_MAX) < 0)
		return -EBADMSG;
	cfi->initial = cfi->row;
	return run(cfi, &program, &common, start, pc);
}

int cfi_find(struct cfi *cfi, uint64_t pc, bool exact)
{
	uint64_t within = exact ? pc : pc - 1;
	if (!(cfi->copies ? module_find_known(within, &cfi->module) : module_find(within, &cfi->module))) {
		cfi->module.end = 0;
		return -ENOENT;
	}
	return cfi_find_in(cfi, pc, exact);
}
