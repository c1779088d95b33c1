#include "reporter/symbolize/scopes.h"

#include <stdlib.h>
#include <string.h>

#include <dwarf.h>

#include "base/text.h"
#include "reporter/symbolize/debug.h"

static bool is_scope(int tag)
{
	return tag == DW_TAG_namespace || tag == DW_TAG_class_type || tag == DW_TAG_structure_type ||
	       tag == DW_TAG_union_type;
}

/* The scope at `depth` of the path, kept from now on: index + 1, or 0 where it is none. */
static uint32_t keep_scope(struct scopes *scopes, unsigned depth)
{
	int tag = dwarf_tag(&scopes->path[depth]);
	if (!depth || (!is_scope(tag) && tag != DW_TAG_subprogram))
		return 0;
	if (scopes->known[depth])
		return scopes->known[depth];
	uint32_t around = keep_scope(scopes, depth - 1);
	void *room = array_room(scopes->scopes, scopes->count, &scopes->size, sizeof(*scopes->scopes));
	if (!room)
		return 0;
	scopes->scopes = room;
	scopes->scopes[scopes->count++] = (struct scope){ .die = scopes->path[depth], .around = around };
	return scopes->known[depth] = (uint32_t)scopes->count;
}

void scopes_visit(struct scopes *scopes, struct walk *walk, int tag)
{
	unsigned depth = walk->depth;
	if (depth >= SCOPES_DEPTH)
		return;
	scopes->path[depth] = walk->die;
	scopes->known[depth] = 0;
	if (tag != DW_TAG_subprogram || depth < 2 || !is_scope(dwarf_tag(&scopes->path[depth - 1])) ||
	    !dwarf_hasattr(&walk->die, DW_AT_name) || dwarf_hasattr(&walk->die, DW_AT_linkage_name))
		return;
	uint32_t scope = keep_scope(scopes, depth - 1);
	void *room = array_room(scopes->functions, scopes->function_count, &scopes->function_size,
				sizeof(*scopes->functions));
	if (!scope || !room)
		return;
	scopes->functions = room;
	scopes->functions[scopes->function_count++] =
	    (struct scoped){ .function = dwarf_dieoffset(&walk->die), .scope = scope - 1 };
}

static int compare(const void *key, const void *member)
{
	const Dwarf_Off *offset = key;
	const struct scoped *scoped = member;
	return *offset < scoped->function ? -1 : *offset > scoped->function;
}

static void put_scope(const struct scopes *scopes, uint32_t index, const char *inside, struct text *text)
{
	Dwarf_Die die = scopes->scopes[index].die;
	const char *name = dwarf_diename(&die);
	if (scopes->scopes[index].around)
		put_scope(scopes, scopes->scopes[index].around - 1, "", text);
	if (!name && dwarf_tag(&die) == DW_TAG_namespace)
		name = "(anonymous namespace)";
	else if (!name)
		name = strcmp(inside, "operator()") == 0 ? "{lambda}" : "{unnamed}";
	text_format(text, dwarf_tag(&die) == DW_TAG_subprogram ? "%s()::" : "%s::", name);
}

const char *scopes_name(const struct scopes *scopes, Dwarf_Off offset, const char *name, struct names *names)
{
	if (!scopes->function_count)
		return names_keep(names, name);
	const struct scoped *found =
	    bsearch(&offset, scopes->functions, scopes->function_count, sizeof(*scopes->functions), compare);
	if (!found)
		return names_keep(names, name);
	char buffer[2048];
	struct text text = TEXT_OF(buffer);
	put_scope(scopes, found->scope, name, &text);
	text_put(&text, name);
	return names_put(names, buffer, text.used);
}

void scopes_release(struct scopes *scopes)
{
	free(scopes->scopes);
	free(scopes->functions);
	*scopes = (struct scopes){ 0 };
}
