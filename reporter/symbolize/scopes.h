/*
 * The classes and namespaces around functions that carry no linkage name: gcc
 * gives none to what only its own file can see (lambdas, anonymous namespaces),
 * and an entry does not know what is around it. Filled by the walk over a unit.
 *
 * Context: offline.
 */
#ifndef WH_SYMBOLIZE_SCOPES_H
#define WH_SYMBOLIZE_SCOPES_H

#include "reporter/symbolize/names.h"
#include "reporter/symbolize/walk.h"

#define SCOPES_DEPTH 64u

struct scope {
	Dwarf_Die die;
	uint32_t around; /* index + 1 of the one around it; 0: none */
};

struct scoped {
	Dwarf_Off function;
	uint32_t scope; /* index */
};

struct scopes {
	struct scope *scopes;
	size_t count, size;
	struct scoped *functions; /* by offset, since that is how the walk goes */
	size_t function_count, function_size;
	/* While the walk goes on: the entries around the present one by depth, and their index + 1 in `scopes`. */
	Dwarf_Die path[SCOPES_DEPTH];
	uint32_t known[SCOPES_DEPTH];
};

/* For each entry of the walk, in its order. `tag` is that of walk->die. */
void scopes_visit(struct scopes *scopes, struct walk *walk, int tag);

/* "box::row::scan" for function `offset`, named `name`; `name` itself where nothing is around it. NULL: no memory. */
const char *scopes_name(const struct scopes *scopes, Dwarf_Off offset, const char *name, struct names *names);

void scopes_release(struct scopes *scopes);

#endif
