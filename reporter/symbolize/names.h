/*
 * Strings kept once each, for as long as the symbolizer lives: function names,
 * files and modules repeat in every stack.
 *
 * Context: offline.
 */
#ifndef WH_SYMBOLIZE_NAMES_H
#define WH_SYMBOLIZE_NAMES_H

#include "base/arena.h"

struct names {
	struct arena arena; /* also for what else lives as long as the names do */
	const char **slots; /* open addressing; size is a power of two */
	size_t size, count;
};

void names_begin(struct names *names);

/* `text` of `bytes` bytes, kept; NULL where there is no memory. */
const char *names_put(struct names *names, const char *text, size_t bytes);

/* The same for a whole string; NULL for NULL. */
const char *names_keep(struct names *names, const char *text);

/*
 * A function's name for people: C++ and Rust names demangled (with their parameters), the suffixes of a
 * compiler's clones (".cold", ".isra.0") and symbol versions ("@GLIBC_2.2.5") left out. A name that
 * can't be demangled, or is longer than 4 KiB, stays as it is. NULL where there is no memory.
 */
const char *names_demangle(struct names *names, const char *linkage);

void names_release(struct names *names);

#endif
