/*
 * jemalloc's own functions (dallocx and its kin) under the option check=heap. They take what malloc has made as well as what
 * mallocx has, and there blocks of malloc's begin behind a header, which jemalloc does not know. So the words through which
 * others call these functions are made to lead here (deep.h), and dlsym answers with what is here. What has no header
 * goes on to the real function.
 *
 * Without check=heap, or with another allocator, nothing of this is done.
 */
#ifndef WH_HOOKS_ALLOCX_H
#define WH_HOOKS_ALLOCX_H

#include "base/context.h"
#include "base/types.h"

struct allocx_way {
	void *real, *hook;
};

/* Looks for the real ones. Context: init. */
void allocx_start(void);

/* The function of that name. Return: false: it is none of these, or there are no real ones. Context: signal. */
bool allocx_named(const char *name, struct allocx_way *ret_way);

/* What is here in place of `found`, where that is one of the real ones; else `found`. Context: signal. */
void *allocx_instead(void *found);

#endif
