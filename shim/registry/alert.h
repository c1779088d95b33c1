/*
 * Alerts: the log of findings in the recording. Appending is what the reporter
 * thread, the detectors of the end, and hooks that catch a misuse do with a
 * finding; whoever renders it (the command, or one that the process starts) waits
 * for the counter in the header.
 *
 * The registry knows a finding only as bytes: struct finding is reporter/finding.h.
 */
#ifndef WH_REGISTRY_ALERT_H
#define WH_REGISTRY_ALERT_H

#include "base/context.h"
#include "base/types.h"

/*
 * Appends `bytes` bytes (a multiple of 8, the first four of which are that number) and wakes
 * whoever waits on the header's counter. The copy's 32-bit word at offset `number_at` becomes the
 * finding's number. Return: the finding's number, or 0: no room (counted).
 * Context: hook.
 */
uint32_t alert_append(const void *finding, uint32_t bytes, uint32_t number_at);

/* In a fork child: its log begins anew. Context: hook. */
void alert_fork_child(void);

#endif
