/*
 * The debugging information (DWARF) of one file: which functions, inlined calls
 * and lines an address belongs to, and which variable.
 *
 * Built as it is asked for: opening reads the compilation units' address ranges;
 * the first address in a unit reads that unit's functions and variables; the
 * first address in a function its inlined calls. Nothing here relies on
 * .debug_aranges (clang writes none) nor on libdw's scopes (which can't read
 * rustc's units).
 *
 * Everything in the file may be wrong: what can't be read is as if it were not there.
 * Addresses are the file's own. One thread.
 *
 * Context: offline.
 */
#ifndef WH_SYMBOLIZE_DEBUG_H
#define WH_SYMBOLIZE_DEBUG_H

#include <elfutils/libdw.h>

#include "reporter/symbolize/names.h"
#include "reporter/symbolize/ranges.h"
#include "reporter/symbolize/scopes.h"
#include "reporter/write/frames.h"

#define DEBUG_MOST_INLINED 128u /* frames that one address can stand for; compilers stay below 40 */

/* A call that was inlined into a function, or into another such call. */
struct inlined {
	Dwarf_Die die;
	uint32_t parent; /* index + 1 of the call around it; 0: the function itself */
};

struct function {
	Dwarf_Die die;
	struct inlined *inlined; /* NULL until somebody asks */
	uint32_t inlined_count;
	struct ranges inlined_ranges;
	bool inlined_known;
};

struct unit {
	Dwarf_Die die;  /* with the line table */
	Dwarf_Die code; /* with the functions: another one where they are in a .dwo file */
	struct function *functions;
	size_t function_count, function_size;
	struct ranges ranges; /* of `functions` */
	struct scopes scopes;
	bool scanned;
	bool split_missing; /* its .dwo file can't be found */
};

struct variable {
	Dwarf_Die die;
	uint64_t address, bytes;
	Dwarf_Die function; /* that a static local variable belongs to; addr NULL: none */
};

struct debug {
	Dwarf *dwarf;        /* the owner's */
	struct names *names; /* the owner's */
	const struct ranges
	    *text; /* executable parts of the file, the owner's; what lies elsewhere was discarded */
	struct unit *units;
	size_t unit_count, unit_size;
	struct ranges ranges; /* of `units` */
	struct variable *variables;
	size_t variable_count, variable_size;
	struct ranges variable_ranges; /* sorted once every unit is scanned */
	struct ranges local_ranges;    /* the same of thread-local ones, by their offsets */
	bool all_scanned;
};

/* NULL: no memory. `dwarf`, `text` and `names` must outlive it. */
struct debug *debug_open(Dwarf *dwarf, const struct ranges *text, struct names *names);
void debug_close(struct debug *debug);

/*
 * What is at `address`: up to `limit` frames, innermost first, in `ret_frames` (function, linkage, file,
 * line and inlined alone are filled). The last one is the function that was compiled; where only its
 * line is known (assembler, or a lost .dwo file) its `function` is NULL. Return: how many; 0: nothing known.
 */
size_t debug_frames(struct debug *debug, uint64_t address, struct frame *ret_frames, size_t limit);

/* The variable that holds `address`; NULL: none. The first call reads every unit, save in a file too big for that. */
const struct variable *debug_variable(struct debug *debug, uint64_t address);

/*
 * Text "sessions.lock" or "table[3].mutex+8" for a byte in a variable, from its name and types, in
 * `buffer`. `symbol`: the name of its ELF symbol, demangled; NULL: it has none.
 */
void debug_member(struct debug *debug, const struct variable *variable, const char *symbol, uint64_t address,
		  char *buffer, size_t size);

/*
 * The local variable that lies `below` bytes below the end of the frame of the function at `address` (see struct
 * rec_place), as debug_member writes it, with its declaration's file and line in `ret_variable`. `unwind`: unwind tables,
 * where the same place has `unwind_address`; NULL: none. False: there is none, or more than one could be meant.
 */
bool debug_local(struct debug *debug, Dwarf_CFI *unwind, uint64_t unwind_address, uint64_t address,
		 uint64_t below, char *buffer, size_t size, struct frame *ret_variable);

/* The thread-local variable that holds byte `offset` of its module's storage; NULL: none. Costs what debug_variable does. */
const struct variable *debug_thread_local(struct debug *debug, uint64_t offset);

/* Whether a unit's .dwo file was looked for in vain. */
bool debug_split_missing(const struct debug *debug);

/* -- between the files of this module -------------------------------------- */

struct unit *debug_unit(struct debug *debug, uint64_t address, struct function **ret_function);
/* Fills in the file and line where a variable of the unit is declared. */
void debug_declared(struct debug *debug, struct unit *unit, Dwarf_Die *die, struct frame *ret_variable);
/* Room for one more in an array that grows by doubling; NULL: no memory, and `array` stays as it is. */
void *array_room(void *array, size_t count, size_t *size, size_t bytes);
/* Bytes of a thing of this type, more than 0; false: unknown. */
bool debug_type_bytes(Dwarf_Die *type, uint64_t *ret_bytes);
/* The name of a function or a variable: for people, and, where it differs, the one in the symbol table. */
void debug_name(struct debug *debug, Dwarf_Die *die, const char **ret_name, const char **ret_linkage);

#endif
