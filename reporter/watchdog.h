/*
 * The watchdog: the reporter thread's loop. Every tick it takes a snapshot, asks
 * the detectors, and appends what is confirmed to the log of alerts; where no
 * command watches this process, it has the news told (reporter/teller.h).
 *
 * It is a guest (platform/guest.h): no libc, no locks of the program, all signals
 * blocked, and it goes away by itself when it is the last thread.
 */
#ifndef WH_REPORTER_WATCHDOG_H
#define WH_REPORTER_WATCHDOG_H

#include "base/context.h"
#include "base/types.h"

/* Starts the reporter thread, unless it runs. Return: 0 or -errno. Context: hook. */
int watchdog_start(void);

/* Ends it and waits until it is gone. Context: hook. */
void watchdog_stop(void);
/* Whether it is asleep with no search begun, so that ending it takes no longer than a thread's end, and loses nothing. Context: hook. */
bool watchdog_rests(void);
/* Whether that is the kernel's number of it, or of the one that ran before. Context: hook. */
bool watchdog_is_task(int32_t tid);

/* In a fork child: there is none. Context: hook. */
void watchdog_fork_child(void);

/* Waits until what was noted up to `misuse_news` (rec_header) has been told and acted upon, or for that long. Context: hook. */
void watchdog_wait_told(uint32_t misuse_news, nsec_t timeout);

/* Ends the tick's sleep: a report is wanted now. Context: signal. */
void watchdog_poke(void);

#endif
