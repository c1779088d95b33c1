/*
 * Who has last signalled what threads wait on (registry/signalled.h), as far as it
 * can't have been something else at the same address.
 *
 * Context: reporter.
 */
#ifndef WH_WRITE_SIGNALLED_H
#define WH_WRITE_SIGNALLED_H

#include "reporter/write/objects.h"

/* Of a condition or a semaphore. Return: false: nobody is known. */
bool object_signal(struct names *names, const struct object *object, struct rec_signal *ret_signal);

/* Whether the thread that signalled has ended; *ret_at, when: 0: that is not known. */
bool signal_thread_ended(const struct names *names, const struct rec_signal *signal, nsec_t *ret_at);

#endif
