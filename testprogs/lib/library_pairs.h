/*
 * What library_pairs.c and its clean twin do with the libraries of shim/hooks/library_pairs.def, as far as they are
 * there: a function a line, or a few lines, which opens something and gives it back if it is told to.
 *
 * PLANT(function, "names of the pairs, with a comma between them")
 */
#ifndef TESTPROGS_LIBRARY_PAIRS_H
#define TESTPROGS_LIBRARY_PAIRS_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/library_pairs_data.h"
#include "lib/library_pairs_libc.h"
#include "lib/library_pairs_streams.h"

static const struct plant {
	void (*run)(bool gives_back);
	const char *names;
} plants[] = {
#define PLANT(function, names) { function, names },
	PLANTS_LIBC PLANTS_STREAMS PLANTS_DATA
#undef PLANT
};

#endif
