/*
 * The ELF symbols of one file, to name functions and data where there is no
 * debugging information: .symtab (of the file or of its separate debug file),
 * else .dynsym and what .gnu_debugdata holds. libdwfl chooses the table.
 *
 * Addresses are the file's own. Context: offline.
 */
#ifndef WH_SYMBOLIZE_SYMTAB_H
#define WH_SYMBOLIZE_SYMTAB_H

#include <elfutils/libdwfl.h>

#include "reporter/symbolize/ranges.h"

struct symbol {
	const char *name; /* as in the table; belongs to the Dwfl_Module */
	uint64_t address;
	uint64_t bytes; /* 0: unknown */
};

struct symtab {
	struct symbol *symbols;
	size_t count;
	struct ranges functions; /* those that know their size */
	struct ranges labels;    /* code without a size (assembler): up to the next one */
	struct ranges objects;
	struct ranges marks;  /* data without a size */
	struct ranges locals; /* thread-local variables, by their offsets in the module's storage */
};

/* `bias`: what libdwfl adds to the file's addresses. `text`: the executable parts of the file. */
void symtab_read(struct symtab *symtab, Dwfl_Module *module, uint64_t bias, const struct ranges *text);

/* The symbol that holds an address; NULL: none. */
const struct symbol *symtab_function(const struct symtab *symtab, uint64_t address);
const struct symbol *symtab_object(const struct symtab *symtab, uint64_t address);
const struct symbol *symtab_thread_local(const struct symtab *symtab, uint64_t offset);

void symtab_release(struct symtab *symtab);

#endif
