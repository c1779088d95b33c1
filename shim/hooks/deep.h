/*
 * Modules that are opened with RTLD_DEEPBIND, as PHP opens its extensions, find libc's allocator before our hooks. They are
 * given what others have from these, and give them what they have made: blocks would look lost that they have freed, and under
 * check=heap, where blocks begin behind a header, libc would be given what it does not know. So the words through which
 * they call the allocator are made to lead to the hooks, once the module is there; its constructors have run by then.
 */
#ifndef WH_HOOKS_DEEP_H
#define WH_HOOKS_DEEP_H

#include "base/context.h"
#include "base/types.h"
#include "platform/relocations.h"

/* One is about to be opened. Context: hook. */
void deep_opening(void);

/* Whether `name` is a function of the allocator, and there may be such modules; or one of those of allocx.h. Context: signal. */
bool deep_wants(const char *name);

/* Binds a word that deep_wants. Context: as in relocations.h. */
void deep_bind(struct elf_module *module, const struct elf_slot *slot);

/* The hook in place of `found`, where that is the allocator's own function; else `found`. Context: signal. */
void *deep_instead(void *found);

#endif
