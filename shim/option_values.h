/*
 * The value of an option: read from the words that a user writes, and written so that reading gives the same. What is
 * allowed stands in the table (options.def) alone: the bounds that help shows are those that are checked.
 *
 * Pure. Context: signal.
 */
#ifndef WH_OPTION_VALUES_H
#define WH_OPTION_VALUES_H

#include "options.h"

enum option_id {
#define OPTION(id, type, standard, accepts, sentence) OPTION_##id,
#include "options.def"
	OPTION_COUNT
};

/* Return: 0, -EINVAL or -ERANGE; `into` is untouched then. */
int option_take(struct options *into, enum option_id id, const char *value) __attribute__((nonnull));

void option_put(struct text *text, const struct options *from, enum option_id id);

#endif
