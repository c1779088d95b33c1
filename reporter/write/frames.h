/*
 * Frames as a person reads them, and the symbolizer that makes them.
 *
 * Writers are linked into the library, where nothing may be looked up (module and
 * offset are all there is: symbolizer_plain), and into the command, where
 * reporter/symbolize/ supplies functions, files and lines. They see this
 * interface alone.
 */
#ifndef WH_WRITE_FRAMES_H
#define WH_WRITE_FRAMES_H

#include "base/arena.h"
#include "registry/view.h"

struct frame {
	const char *function; /* demangled; NULL: unknown */
	const char *linkage;  /* as in the symbol table, where that differs; else NULL */
	const char *file;     /* source file as the debug information names it; NULL: unknown */
	unsigned line;        /* 0: unknown */
	const char *module;   /* path of the ELF file; NULL: code in no known module */
	uint64_t offset; /* of the instruction in the module's own addresses; without a module the address */
	const char *build_id; /* hex; NULL: none */
	bool inlined;         /* inlined into the next frame */
};

struct symbolizer {
	/*
	 * The frames of `stack`, innermost first, inlined ones expanded, in `*ret_frames`, an array that
	 * belongs to `arena` (the strings live as long as the symbolizer or the arena). Addresses looked
	 * up are return address - 1, save for frames[0] with STACK_EXACT_PC. Return: how many.
	 */
	size_t (*frames)(struct symbolizer *self, const struct view *view, stack_id stack,
			 struct arena *arena, struct frame **ret_frames);
	/*
	 * The name of what lies at a data address: "cache_lock (prog .bss)", "sessions.lock (prog .data)",
	 * "table+24 (prog .bss)"; NULL: no symbol there.
	 */
	const char *(*data)(struct symbolizer *self, const struct view *view, uint64_t address,
			    struct arena *arena);
	/*
	 * The variable at a place on a thread's stack or in its thread-local storage, as `function` of *ret_variable:
	 * "lock", "locks[1]"; with the file and line of its declaration and its module. Return: false: not known for certain.
	 */
	bool (*variable)(struct symbolizer *self, const struct view *view, const struct rec_place *place,
			 struct frame *ret_variable);
	/* The function that starts at or holds a code address (a start routine); NULL: unknown. */
	const char *(*function)(struct symbolizer *self, const struct view *view, uint64_t address,
				struct arena *arena);
};

/* Modules and offsets alone; needs nothing. Context: reporter. */
extern struct symbolizer symbolizer_plain;

/* -- what a frame is to its reader. Context: signal. ------------------------ */

/* The last component of a path; "" for NULL. */
const char *path_base(const char *path);

/*
 * Whether the reader could change the code: not in libc, the loader or a language's runtime
 * (runtime_modules.def), and not a template or generic of a standard library that was compiled
 * into the program (library_functions.def).
 */
bool frame_is_own(const struct frame *frame);

/* Whether it is a function that allocates for whoever calls it, by its name (allocator_functions.def). */
bool frame_is_allocator(const struct frame *frame);

/* Whether the function's own module is libc, the loader or a language's runtime. */
bool frame_is_runtime(const struct frame *frame);

/*
 * The part of a function's name that stays the same from build to build: without a return type,
 * parameters, clone suffixes (".cold", ".isra.0") and the hash of a Rust symbol. It is a piece of
 * `function`, whose length is in *ret_length.
 */
const char *function_stem(const char *function, size_t *ret_length);

#endif
