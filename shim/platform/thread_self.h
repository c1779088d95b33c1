/* What libc and the kernel call the calling thread. Context: signal. */
#ifndef WH_PLATFORM_THREAD_SELF_H
#define WH_PLATFORM_THREAD_SELF_H

#include "base/types.h"

uint64_t thread_self_handle(void);  /* pthread_t */
uint64_t thread_self_pointer(void); /* thread pointer: where thread-local storage hangs */
void thread_self_name(char *name);  /* 16 bytes, NUL included */

#endif
