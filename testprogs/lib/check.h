/*
 * For programs that check that nothing changes under the library: what is not as
 * it should be is one line on standard error and exit status 1. The same program runs bare and
 * under whoholds, and says the same.
 */
#ifndef TESTPROGS_CHECK_H
#define TESTPROGS_CHECK_H

#include <stdbool.h>
#include <time.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CHECK(condition) check_that((condition), #condition, __FILE__, __LINE__)
#define CHECK_EQUAL(is, wanted) check_equal((is), (wanted), #is, __FILE__, __LINE__)

void check_that(bool holds, const char *what, const char *file, int line);
void check_equal(long is, long wanted, const char *what, const char *file, int line);

/* From here on, CHECK_HELD counts. Takes a few milliseconds. */
void check_mark(void);

/*
 * What this thread, and those that it made, have taken since check_mark and not given back, as
 * the library knows it. Holds of itself where the program runs bare.
 */
#define CHECK_HELD(wanted) check_held((wanted), __FILE__, __LINE__)
void check_held(int wanted, const char *file, int line);

/* A moment `ms` from now (CLOCK_REALTIME or another clock), for calls that wait until then. */
struct timespec check_in_ms(int clock, long ms);

/* Waits until thread `tid` of this process is blocked in the kernel. */
void check_blocked(int tid);
int check_tid(void);

#ifdef __cplusplus
}
#endif

#endif
