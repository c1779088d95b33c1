/*
 * Words that the kernel keeps for the program with its timers (timer_create's sigev_value), and hands to who takes the
 * signal: perhaps the only pointer to a block. Read from /proc.
 *
 * Context: reporter.
 */
#ifndef WH_REPORTER_SCAN_TIMERS_H
#define WH_REPORTER_SCAN_TIMERS_H

#include "reporter/scan/mark.h"

/* What the words of the process's timers point into is reached; `pid` 0: of the calling one. */
void timers_mark(struct mark *mark, int32_t pid);

/* Whether they can be read: not every kernel has the file, and it may be too long. */
bool timers_readable(int32_t pid);

/* The text of /proc/PID/timers: calls `each` for the word of every timer in it. */
void timers_parse(const char *text, void (*each)(uint64_t word, void *data), void *data);

#endif
