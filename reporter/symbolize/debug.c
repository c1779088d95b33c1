#include "reporter/symbolize/debug.h"

#include <stdlib.h>
#include <string.h>

#include <dwarf.h>

#include "base/context.h"
#include "reporter/symbolize/walk.h"

#define UNITS_MOST 4000000u /* more than any linker makes: ends a walk through nonsense */
/* Reading every unit takes about 15 ms a MiB; a browser's gigabyte would take longer than anybody waits for a name. */
#define VARIABLES_MOST_BYTES (UINT64_C(192) << 20)
#define ORIGINS_MOST 8u      /* from an inlined call to what it is declared as */
#define RANGES_MOST 1000000u /* likewise, of one entry */

void *array_room(void *array, size_t count, size_t *size, size_t bytes)
{
	if (count < *size)
		return array;
	size_t grown = *size ? *size * 2 : 16;
	void *moved = reallocarray(array, grown, bytes);
	if (moved)
		*size = grown;
	return moved;
}

/*
 * Adds the code ranges of `die`. Code that the linker discarded keeps its entry, with an address
 * near 0 or near the top: only what begins inside the file's text counts.
 */
static bool add_code_ranges(struct debug *debug, struct ranges *ranges, Dwarf_Die *die, uint32_t item)
{
	Dwarf_Addr base = 0;
	Dwarf_Addr low;
	Dwarf_Addr high;
	bool added = false;
	ptrdiff_t at = 0;
	for (uint32_t i = 0; i < RANGES_MOST && (at = dwarf_ranges(die, at, &base, &low, &high)) > 0; i++)
		if (ranges_find(debug->text, low) && ranges_add(ranges, low, high, item, 0))
			added = true;
	return added;
}

static void add_function(struct debug *debug, struct unit *unit, Dwarf_Die *die)
{
	if (!dwarf_hasattr(die, DW_AT_low_pc) && !dwarf_hasattr(die, DW_AT_ranges))
		return;
	void *room =
	    array_room(unit->functions, unit->function_count, &unit->function_size, sizeof(*unit->functions));
	if (!room)
		return;
	unit->functions = room;
	if (!add_code_ranges(debug, &unit->ranges, die, (uint32_t)unit->function_count))
		return;
	unit->functions[unit->function_count++] = (struct function){ .die = *die };
}

/* Where a variable is, if that is one address that never changes, or one offset into thread-local storage. */
static bool fixed_address(Dwarf_Die *die, uint64_t *ret_address, bool *ret_local)
{
	Dwarf_Attribute attribute;
	Dwarf_Op *ops;
	size_t count;
	if (!dwarf_attr(die, DW_AT_location, &attribute) ||
	    dwarf_getlocation(&attribute, &ops, &count) != 0 || !count || count > 2)
		return false;
	uint64_t address = ops[0].number;
	if (ops[0].atom == DW_OP_addrx || ops[0].atom == DW_OP_GNU_addr_index) {
		Dwarf_Attribute indirect;
		if (dwarf_getlocation_attr(&attribute, &ops[0], &indirect) != 0 ||
		    dwarf_formaddr(&indirect, &address) != 0)
			return false;
	} else if (ops[0].atom != DW_OP_addr && ops[0].atom != DW_OP_const8u &&
		   ops[0].atom != DW_OP_const4u) {
		return false;
	}
	*ret_local = count == 2 &&
		     (ops[1].atom == DW_OP_form_tls_address || ops[1].atom == DW_OP_GNU_push_tls_address);
	if (*ret_local) {
		*ret_address = address;
		return true;
	}
	if (ops[0].atom == DW_OP_const8u || ops[0].atom == DW_OP_const4u)
		return false;
	if (count == 2) {
		if (ops[1].atom != DW_OP_plus_uconst)
			return false;
		address += ops[1].number;
	}
	*ret_address = address;
	return address != 0;
}

static void add_variable(struct debug *debug, Dwarf_Die *die, const Dwarf_Die *function)
{
	uint64_t address;
	bool local;
	if (!dwarf_hasattr(die, DW_AT_location) || !fixed_address(die, &address, &local))
		return;
	Dwarf_Attribute attribute;
	Dwarf_Die type;
	uint64_t bytes;
	if (!dwarf_attr_integrate(die, DW_AT_type, &attribute) || !dwarf_formref_die(&attribute, &type) ||
	    !debug_type_bytes(&type, &bytes))
		return;
	void *room = array_room(debug->variables, debug->variable_count, &debug->variable_size,
				sizeof(*debug->variables));
	if (!room)
		return;
	debug->variables = room;
	if (!ranges_add(local ? &debug->local_ranges : &debug->variable_ranges, address, address + bytes,
			(uint32_t)debug->variable_count, 0))
		return;
	debug->variables[debug->variable_count++] =
	    (struct variable){ .die = *die, .address = address, .bytes = bytes, .function = *function };
}

/* Types and declarations hold no code, save for the functions that Rust and local classes have inside them. */
static bool may_hold_code(int tag)
{
	switch (tag) {
	case DW_TAG_compile_unit:
	case DW_TAG_namespace:
	case DW_TAG_module:
	case DW_TAG_subprogram:
	case DW_TAG_lexical_block:
	case DW_TAG_inlined_subroutine:
	case DW_TAG_structure_type:
	case DW_TAG_class_type:
	case DW_TAG_union_type:
	case DW_TAG_enumeration_type:
	case DW_TAG_variant_part:
	case DW_TAG_variant:
		return true;
	default:
		return false;
	}
}

/* Finds the functions and variables of a unit. */
static void unit_scan(struct debug *debug, struct unit *unit)
{
	if (unit->scanned)
		return;
	unit->scanned = true;

	Dwarf_Die full = { 0 };
	if (dwarf_cu_info(unit->die.cu, NULL, NULL, NULL, &full, NULL, NULL, NULL) == 0 &&
	    dwarf_tag(&full) == DW_TAG_compile_unit)
		unit->code = full;
	else if (dwarf_hasattr(&unit->die, DW_AT_dwo_name) || dwarf_hasattr(&unit->die, DW_AT_GNU_dwo_name))
		unit->split_missing = true;

	struct walk walk;
	Dwarf_Die function = { 0 };
	unsigned function_depth = 0;
	for (bool more = walk_begin(&walk, &unit->code); more;) {
		if (walk.depth <= function_depth) {
			function = (Dwarf_Die){ 0 };
			function_depth = 0;
		}
		int tag = dwarf_tag(&walk.die);
		scopes_visit(&unit->scopes, &walk, tag);
		if (tag == DW_TAG_subprogram) {
			add_function(debug, unit, &walk.die);
			function = walk.die;
			function_depth = walk.depth;
		} else if (tag == DW_TAG_variable) {
			add_variable(debug, &walk.die, &function);
		}
		more = walk_next(&walk, !may_hold_code(tag));
	}
	ranges_sort(&unit->ranges);
}

static void add_unit(struct debug *debug, const Dwarf_Die *die)
{
	void *room = array_room(debug->units, debug->unit_count, &debug->unit_size, sizeof(*debug->units));
	if (!room)
		return;
	debug->units = room;
	debug->units[debug->unit_count++] = (struct unit){ .die = *die, .code = *die };
}

struct debug *debug_open(Dwarf *dwarf, const struct ranges *text, struct names *names)
{
	struct debug *debug = calloc(1, sizeof(*debug));
	if (!debug)
		return NULL;
	debug->dwarf = dwarf;
	debug->text = text;
	debug->names = names;
	Dwarf_CU *cu = NULL;
	Dwarf_Die die;
	while (debug->unit_count < UNITS_MOST && dwarf_get_units(dwarf, cu, &cu, NULL, NULL, &die, NULL) == 0)
		if (dwarf_tag(&die) == DW_TAG_compile_unit || dwarf_tag(&die) == DW_TAG_skeleton_unit)
			add_unit(debug, &die);
	for (size_t i = 0; i < debug->unit_count; i++) {
		struct unit *unit = &debug->units[i];
		if (add_code_ranges(debug, &debug->ranges, &unit->die, (uint32_t)i) ||
		    dwarf_hasattr(&unit->die, DW_AT_ranges) || dwarf_hasattr(&unit->die, DW_AT_high_pc))
			continue;
		/* A unit that doesn't say where its code is: its functions do. */
		unit_scan(debug, unit);
		for (size_t j = 0; j < unit->ranges.count; j++)
			ranges_add(&debug->ranges, unit->ranges.at[j].low, unit->ranges.at[j].high,
				   (uint32_t)i, 0);
	}
	ranges_sort(&debug->ranges);
	return debug;
}

void debug_close(struct debug *debug)
{
	if (!debug)
		return;
	for (size_t i = 0; i < debug->unit_count; i++) {
		struct unit *unit = &debug->units[i];
		for (size_t j = 0; j < unit->function_count; j++) {
			free(unit->functions[j].inlined);
			ranges_release(&unit->functions[j].inlined_ranges);
		}
		free(unit->functions);
		ranges_release(&unit->ranges);
		scopes_release(&unit->scopes);
	}
	free(debug->units);
	free(debug->variables);
	ranges_release(&debug->ranges);
	ranges_release(&debug->variable_ranges);
	ranges_release(&debug->local_ranges);
	free(debug);
}

struct unit *debug_unit(struct debug *debug, uint64_t address, struct function **ret_function)
{
	struct unit *first = NULL;
	const struct range *range = ranges_find(&debug->ranges, address);
	for (; range; range = ranges_outer(&debug->ranges, range, address)) {
		struct unit *unit = &debug->units[range->item];
		unit_scan(debug, unit);
		const struct range *inside = ranges_find(&unit->ranges, address);
		if (inside) {
			*ret_function = &unit->functions[inside->item];
			return unit;
		}
		if (!first)
			first = unit;
	}
	*ret_function = NULL;
	return first;
}

/* Reads every unit. False: there are none, or too much to read. */
static bool scan_all(struct debug *debug)
{
	Dwarf_Die *last = debug->unit_count ? &debug->units[debug->unit_count - 1].die : NULL;
	if (debug->all_scanned)
		return true;
	if (!last || dwarf_dieoffset(last) > VARIABLES_MOST_BYTES)
		return false;
	for (size_t i = 0; i < debug->unit_count; i++)
		unit_scan(debug, &debug->units[i]);
	ranges_sort(&debug->variable_ranges);
	ranges_sort(&debug->local_ranges);
	debug->all_scanned = true;
	return true;
}

const struct variable *debug_variable(struct debug *debug, uint64_t address)
{
	const struct range *range = scan_all(debug) ? ranges_find(&debug->variable_ranges, address) : NULL;
	return range ? &debug->variables[range->item] : NULL;
}

const struct variable *debug_thread_local(struct debug *debug, uint64_t offset)
{
	const struct range *range = scan_all(debug) ? ranges_find(&debug->local_ranges, offset) : NULL;
	return range ? &debug->variables[range->item] : NULL;
}

/* The unit that an entry is in; NULL: none of ours. */
static struct unit *unit_of(struct debug *debug, Dwarf_Die *die)
{
	size_t low = 0;
	size_t high = debug->unit_count;
	Dwarf_Off offset = dwarf_dieoffset(die);
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (dwarf_dieoffset(&debug->units[middle].die) <= offset)
			low = middle + 1;
		else
			high = middle;
	}
	if (low && debug->units[low - 1].code.cu == die->cu)
		return &debug->units[low - 1];
	/* Offsets in .dwo files are of their own. */
	for (size_t i = 0; i < debug->unit_count; i++)
		if (debug->units[i].code.cu == die->cu)
			return &debug->units[i];
	return NULL;
}

/* The name of a function or variable without a linkage name, with what is around it. */
static const char *plain_name(struct debug *debug, const Dwarf_Die *die)
{
	Dwarf_Die origin = *die;
	Dwarf_Attribute attribute;
	const char *name = dwarf_diename(&origin);
	for (unsigned steps = 0; steps < ORIGINS_MOST; steps++) {
		Dwarf_Die next;
		if (!dwarf_attr(&origin, DW_AT_abstract_origin, &attribute) &&
		    !dwarf_attr(&origin, DW_AT_specification, &attribute))
			break;
		if (!dwarf_formref_die(&attribute, &next))
			break;
		origin = next;
	}
	struct unit *unit = name ? unit_of(debug, &origin) : NULL;
	if (!unit)
		return names_keep(debug->names, name);
	unit_scan(debug, unit);
	return scopes_name(&unit->scopes, dwarf_dieoffset(&origin), name, debug->names);
}

void debug_name(struct debug *debug, Dwarf_Die *die, const char **ret_name, const char **ret_linkage)
{
	Dwarf_Attribute attribute;
	const char *linkage = NULL;
	*ret_linkage = NULL;
	if (dwarf_attr_integrate(die, DW_AT_linkage_name, &attribute) ||
	    dwarf_attr_integrate(die, DW_AT_MIPS_linkage_name, &attribute))
		linkage = dwarf_formstring(&attribute);
	if (!linkage) {
		*ret_name = plain_name(debug, die);
		return;
	}
	*ret_name = names_demangle(debug->names, linkage);
	if (*ret_name && strcmp(linkage, *ret_name) != 0)
		*ret_linkage = names_keep(debug->names, linkage);
}

bool debug_split_missing(const struct debug *debug)
{
	for (size_t i = 0; i < debug->unit_count; i++)
		if (debug->units[i].split_missing)
			return true;
	return false;
}
