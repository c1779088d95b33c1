/*
 * A map of values that are counted by who holds them, and workers that hold some while it is cleared.
 */
#ifndef TESTPROGS_COUNTED_MAP_H
#define TESTPROGS_COUNTED_MAP_H

#include <stdbool.h>

/* `give_back`: what workers hold when they are told to stop. {{line lib/counted_map.c value}}: where values are made. */
void counted_map_story(bool give_back);

#endif
