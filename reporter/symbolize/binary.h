/*
 * One ELF file that ran, found again on disk and checked to be that very file,
 * with its symbols and its debugging information: its own, or those of a
 * separate debug file. Each part is read when it is first needed.
 *
 * Where nothing is found, or nothing that can be read, the binary has a path and
 * a build-id and no names.
 *
 * Addresses are the file's own. Context: offline.
 */
#ifndef WH_SYMBOLIZE_BINARY_H
#define WH_SYMBOLIZE_BINARY_H

#include <elfutils/libdwfl.h>

#include "reporter/symbolize/debug.h"
#include "reporter/symbolize/locate.h"
#include "reporter/symbolize/names.h"
#include "reporter/symbolize/symtab.h"

struct binary {
	struct binary *next;  /* the owner's */
	uint64_t hash;        /* the owner's */
	const char *path;     /* as in the recording */
	const char *build_id; /* hex; NULL: none */
	const char *note;     /* why there are no names, or fewer than could be; NULL: nothing to say */
	struct names *names;  /* the owner's */
	Dwfl_Callbacks callbacks;
	struct wanted wanted; /* with `build_id` a copy, and the path above */
	uint8_t build_id_copy[64];
	Dwfl *dwfl; /* NULL: no file */
	Dwfl_Module *module;
	Elf *elf;
	uint64_t bias;      /* what libdwfl adds to the file's addresses */
	struct ranges text; /* executable parts */
	struct symtab symtab;
	struct debug *debug;  /* NULL: none */
	uint64_t debug_shift; /* addresses of the debugging information minus the file's own */
	bool symtab_known, debug_known;
};

/* Opens what `wanted` describes. Return: NULL only where there is no memory. */
struct binary *binary_open(const struct wanted *wanted, struct names *names);

/* The kernel's own library, which is in no file: the one of this process, if it is the same. */
struct binary *binary_open_vdso(const struct wanted *wanted, struct names *names);

void binary_close(struct binary *binary);

/* Up to `limit` frames for code at `address`; function, linkage, file, line and inlined are filled. At least 1. */
size_t binary_frames(struct binary *binary, uint64_t address, struct frame *ret_frames, size_t limit);

/* What the symbol table alone says of the code at `address`: a function and its linkage name, or neither. */
void binary_symbol(struct binary *binary, uint64_t address, struct frame *ret_frame);

/* "sessions.lock (prog .bss)" in `buffer`; "prog+0x4040 (prog .bss)" without a symbol there. False: it is no data of the file's. */
bool binary_data(struct binary *binary, uint64_t address, char *buffer, size_t size);

/*
 * The local variable `below` bytes below the end of the frame of the function at `address`, and the thread-local one
 * `offset` bytes into the file's thread-local storage: see symbolizer.variable. False: not known for certain.
 */
bool binary_local(struct binary *binary, uint64_t address, uint64_t below, struct frame *ret_variable);
bool binary_thread_local(struct binary *binary, uint64_t offset, struct frame *ret_variable);

/* How far into it what lies `below` bytes below the thread pointer is, where the file is the program itself. False: not in it. */
bool binary_thread_offset(struct binary *binary, uint64_t below, uint64_t *ret_offset);

#endif
