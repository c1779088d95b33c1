/*
 * The words that the loader has filled in with the addresses of functions, by the functions' names: what a module calls another
 * one through (its global offset table), and pointers to functions in its data.
 *
 * A word may lie where the loader has taken away the right to write once it was done (RELRO). A module with such a part that can
 * still be written is one that another thread is loading now: it is left alone, since the loader takes the right away at
 * any moment.
 *
 * Context of all: inside of relocations_visit, which holds the loader's lock on its list.
 */
#ifndef WH_PLATFORM_RELOCATIONS_H
#define WH_PLATFORM_RELOCATIONS_H

#include <link.h>

#include "base/types.h"

struct elf_module {
	const ElfW(Dyn) * dynamic;
	uint64_t bias;
	uint64_t start, end;             /* of the mapping */
	uint64_t relro_start, relro_end; /* pages; 0: none */
	const char *name;                /* the loader's; "" for the program */
	bool relro_open;                 /* we have made it writable */
};

struct elf_slot {
	uint64_t *at;
	const char *name;
	const char *version; /* that the module was linked with; NULL: none in particular */
	bool called;         /* a call goes through it; else it may be any use of the address */
};

struct elf_counts {
	uint64_t loaded, unloaded; /* modules so far; they only go up */
};

/*
 * Runs `visit` while no module comes or goes: it takes the loader's lock, which somebody may hold who waits
 * for one of the program's; so never with one of those held. Context: hook; init.
 */
void relocations_visit(void (*visit)(const struct elf_counts *counts, void *data), void *data);

/* Each module of our namespace in the loader's order, until `each` returns false. */
void relocations_modules(bool (*each)(struct elf_module *module, void *data), void *data);

/* Each word of the module that names one of the functions that `wants` says yes to. Values are looked at by nobody yet. */
void relocations_each(struct elf_module *module, bool (*wants)(const char *name),
		      void (*each)(struct elf_module *module, const struct elf_slot *slot, void *data),
		      void *data);

/*
 * Whether the loader is done with the module, as far as that shows. Of those that were there before the first constructor ran it is
 * known to be, whether it shows or not.
 */
bool relocations_finished(const struct elf_module *module);

/* Stores into a word of a finished module. Return: 0; -EACCES: it can't be written. */
int relocations_store(struct elf_module *module, const struct elf_slot *slot, uint64_t value);

/* When all of a module's words are stored: what was made writable is no more. */
void relocations_done(struct elf_module *module);

#endif
