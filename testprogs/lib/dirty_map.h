/*
 * A map of two copies: one that is read without a lock, and a dirty one that replaces it when it is merged.
 */
#ifndef TESTPROGS_DIRTY_MAP_H
#define TESTPROGS_DIRTY_MAP_H

#include <stdbool.h>

/* `forgets`: one writer overlooks the dirty copy, of 30 entries, that is there. */
void dirty_map_story(bool forgets);

#endif
