#include "reporter/symbolize/walk.h"

#include <dwarf.h>

/* Where the unit of `die` ends; NULL: unknown. */
static const char *unit_end(Dwarf_Die *die)
{
	Dwarf_Die unit;
	Dwarf_Half version;
	uint8_t kind;
	uint64_t signature = 0;
	if (dwarf_cu_info(die->cu, &version, &kind, &unit, NULL, NULL, NULL, NULL) != 0)
		return NULL;
	Dwarf *dwarf = dwarf_cu_getdwarf(die->cu);
	Dwarf_Off begin = dwarf_dieoffset(&unit) - dwarf_cuoffset(&unit);
	Dwarf_Off next;
	size_t header_bytes;
	/* Before DWARF 5 type units are in a section of their own. */
	uint64_t *types = kind == DW_UT_type && version < 5 ? &signature : NULL;
	if (dwarf_next_unit(dwarf, begin, &next, &header_bytes, NULL, NULL, NULL, NULL, types, NULL) != 0)
		return NULL;
	return (const char *)unit.addr - dwarf_dieoffset(&unit) + next;
}

bool walk_begin(struct walk *walk, Dwarf_Die *root)
{
	walk->end = unit_end(root);
	walk->depth = 1;
	return walk->end && dwarf_child(root, &walk->die) == 0 && (const char *)walk->die.addr < walk->end;
}

bool walk_next(struct walk *walk, bool skip)
{
	Dwarf_Die next;
	if (!skip || !dwarf_hasattr(&walk->die, DW_AT_sibling)) {
		int child = dwarf_child(&walk->die, &next);
		if (child < 0)
			return false;
		if (child == 0) {
			if (next.addr <= walk->die.addr)
				return false;
			walk->die = next;
			walk->depth++;
			return true;
		}
	}
	int sibling = dwarf_siblingof(&walk->die, &next);
	if (sibling < 0 || !next.addr || next.addr <= walk->die.addr)
		return false;
	if (sibling == 0) {
		walk->die = next;
		return true;
	}
	/* libdw has stopped at the zero byte that ends this level; one for each level around it may follow. */
	const char *at = next.addr;
	while (walk->depth && at < walk->end && !*at) {
		at++;
		walk->depth--;
	}
	if (!walk->depth || at >= walk->end)
		return false;
	walk->die = (Dwarf_Die){ .addr = (void *)at, .cu = walk->die.cu };
	return true;
}
