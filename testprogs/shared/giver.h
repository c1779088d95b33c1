/* What libgiver.so brings. */
#ifndef WH_TESTPROGS_GIVER_H
#define WH_TESTPROGS_GIVER_H

#include <stddef.h>

void *giver_take(size_t size);
void *giver_resize(void *block, size_t size);
void giver_give(void *block);

#endif
