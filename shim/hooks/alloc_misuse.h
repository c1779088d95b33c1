/*
 * What is wrong with a call that gives memory back: it was given back before, it never was an allocation, or it
 * is of another family. Asked where the registry does not know the block, or knows it as another one; so
 * none of this costs a program anything that does no such thing.
 *
 * Said is only what is certain: that nothing is known of an address proves nothing, since there are allocators
 * that nobody sees. Each answer rests on something that is known of the address itself.
 *
 * Context: hook.
 */
#ifndef WH_HOOKS_ALLOC_MISUSE_H
#define WH_HOOKS_ALLOC_MISUSE_H

#include "hooks/alloc.h"

/*
 * Judges the call `how`, just before the real one. `was` is what was known of the block there; NULL: nothing. Where
 * the finding could be lost with the process, it comes back when it has been told.
 */
void alloc_misuse(const struct alloc_release *how, const struct allocation *was);

#endif
