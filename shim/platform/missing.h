/* Functions that this machine's libc headers do not declare but some libc exports. */
#ifndef WH_PLATFORM_MISSING_H
#define WH_PLATFORM_MISSING_H

#include <stddef.h>

void cfree(void *block);
void free_sized(void *block, size_t size);
void free_aligned_sized(void *block, size_t alignment, size_t size);

#endif
