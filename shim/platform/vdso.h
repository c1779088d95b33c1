/*
 * The clock, from the kernel's own object in the process (vdso(7)). libc's clock_gettime would go there too, but is a
 * name that other preloaded libraries stand in for: libfaketime's looks at thread-local storage, of which threads that
 * libc has not made have none, and gives a time of its own. See testprogs/hostile/clock_taken.c.
 */
#ifndef WH_PLATFORM_VDSO_H
#define WH_PLATFORM_VDSO_H

#include <stdbool.h>
#include <time.h>

/*
 * Where there is no such object, or it has no clock, by a system call. Return: whether the kernel knows the clock.
 * Neither errno nor any lock is touched. Context: signal.
 */
bool vdso_time(clockid_t clock, struct timespec *ret_now);

#endif
