#include "reporter/symbolize/debug.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <dwarf.h>

#include "base/context.h"
#include "reporter/symbolize/walk.h"

#define DEPTH_MOST 512u       /* how deep calls and blocks nest before they are taken as one */
#define INLINED_MOST 1000000u /* in one function */

/* Finds the calls that were inlined into `function`, with the calls around each. */
static void function_scan(struct function *function)
{
	if (function->inlined_known)
		return;
	function->inlined_known = true;

	/* By depth: the inlined call that an entry there belongs to. */
	uint32_t around[DEPTH_MOST + 1] = { 0 };
	size_t size = 0;
	unsigned nested = 0; /* depth of a function inside this one, which speaks for itself */
	struct walk walk;
	for (bool more = walk_begin(&walk, &function->die); more;) {
		int tag = dwarf_tag(&walk.die);
		unsigned depth = MIN_OF(walk.depth, DEPTH_MOST - 1);
		if (nested && walk.depth <= nested)
			nested = 0;
		if (!nested && tag == DW_TAG_subprogram)
			nested = walk.depth;
		around[depth + 1] = around[depth];
		if (!nested && tag == DW_TAG_inlined_subroutine && function->inlined_count < INLINED_MOST) {
			if (function->inlined_count == size) {
				size = size ? size * 2 : 8;
				void *grown =
				    reallocarray(function->inlined, size, sizeof(*function->inlined));
				if (!grown)
					break;
				function->inlined = grown;
			}
			Dwarf_Addr base = 0;
			Dwarf_Addr low;
			Dwarf_Addr high;
			ptrdiff_t at = 0;
			for (uint32_t i = 0; i < INLINED_MOST; i++) {
				at = dwarf_ranges(&walk.die, at, &base, &low, &high);
				if (at <= 0)
					break;
				ranges_add(&function->inlined_ranges, low, high, function->inlined_count,
					   walk.depth);
			}
			function->inlined[function->inlined_count++] =
			    (struct inlined){ .die = walk.die, .parent = around[depth] };
			around[depth + 1] = function->inlined_count;
		}
		bool skip = nested || (tag != DW_TAG_inlined_subroutine && tag != DW_TAG_lexical_block &&
				       tag != DW_TAG_GNU_call_site && tag != DW_TAG_call_site);
		more = walk_next(&walk, skip);
	}
	ranges_sort(&function->inlined_ranges);
}

/* A file's name with the folder it was compiled in before it, where it is relative. */
static const char *file_name(struct debug *debug, struct unit *unit, const char *file)
{
	if (!file || strcmp(file, "???") == 0)
		return NULL;
	Dwarf_Attribute attribute;
	const char *folder = NULL;
	if (file[0] != '/' && dwarf_attr_integrate(&unit->die, DW_AT_comp_dir, &attribute))
		folder = dwarf_formstring(&attribute);
	if (!folder)
		return names_keep(debug->names, file);
	char path[4096];
	int bytes = snprintf(path, sizeof(path), "%s/%s", folder, file);
	return names_put(debug->names, path, MIN_OF((size_t)bytes, sizeof(path) - 1));
}

static void line_at(struct debug *debug, struct unit *unit, uint64_t address, struct frame *frame)
{
	Dwarf_Line *line = dwarf_getsrc_die(&unit->die, address);
	int number;
	if (!line)
		return;
	frame->file = file_name(debug, unit, dwarf_linesrc(line, NULL, NULL));
	if (frame->file && dwarf_lineno(line, &number) == 0 && number > 0)
		frame->line = (unsigned)number;
}

/* The file and line that two attributes of an entry name. */
static void place_in_source(struct debug *debug, struct unit *unit, Dwarf_Die *die, unsigned file_attribute,
			    unsigned line_attribute, struct frame *frame)
{
	Dwarf_Attribute attribute;
	Dwarf_Word file;
	Dwarf_Word line;
	Dwarf_Files *files;
	size_t count;
	/* A number means something in the unit that it comes from. */
	if (!dwarf_attr_integrate(die, file_attribute, &attribute) || attribute.cu != unit->code.cu ||
	    dwarf_formudata(&attribute, &file) != 0 || dwarf_getsrcfiles(&unit->code, &files, &count) != 0 ||
	    file >= count)
		return;
	frame->file = file_name(debug, unit, dwarf_filesrc(files, file, NULL, NULL));
	if (frame->file && dwarf_attr_integrate(die, line_attribute, &attribute) &&
	    dwarf_formudata(&attribute, &line) == 0 && line <= UINT32_MAX)
		frame->line = (unsigned)line;
}

/* Where an inlined call stands in its caller. */
static void call_place(struct debug *debug, struct unit *unit, Dwarf_Die *call, struct frame *caller)
{
	place_in_source(debug, unit, call, DW_AT_call_file, DW_AT_call_line, caller);
}

void debug_declared(struct debug *debug, struct unit *unit, Dwarf_Die *die, struct frame *ret_variable)
{
	place_in_source(debug, unit, die, DW_AT_decl_file, DW_AT_decl_line, ret_variable);
}

size_t debug_frames(struct debug *debug, uint64_t address, struct frame *ret_frames, size_t limit)
{
	struct function *function;
	struct unit *unit = debug_unit(debug, address, &function);
	if (!unit || !limit)
		return 0;
	struct frame *frame = &ret_frames[0];
	*frame = (struct frame){ 0 };
	line_at(debug, unit, address, frame);
	if (!function)
		return frame->file ? 1 : 0;

	function_scan(function);
	size_t count = 1;
	const struct range *range = ranges_find(&function->inlined_ranges, address);
	for (uint32_t at = range ? range->item + 1 : 0; at && count < limit;) {
		struct inlined *inlined = &function->inlined[at - 1];
		debug_name(debug, &inlined->die, &frame->function, &frame->linkage);
		frame->inlined = true;
		frame = &ret_frames[count++];
		*frame = (struct frame){ 0 };
		call_place(debug, unit, &inlined->die, frame);
		at = inlined->parent;
	}
	debug_name(debug, &function->die, &frame->function, &frame->linkage);
	return count;
}
