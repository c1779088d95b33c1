/*
 * Descriptors that the program has opened itself: what the lines of descriptors.def are about, and fcntl's copies.
 *
 * All functions: Context: hook. Keep errno.
 */
#ifndef WH_HOOKS_DESCRIPTOR_H
#define WH_HOOKS_DESCRIPTOR_H

#include <sys/socket.h>

#include "hooks/hook.h"

/*
 * The calling thread has just got one; `more`: by the same call as the one before. The standard ones are nobody's to close and
 * are left out.
 */
void descriptor_opened(struct hook *hook, int number, bool more);

/* That number is about to be closed. */
void descriptor_closed(int number);

/* A message has been received: those that came with it. */
void descriptors_came(struct hook *hook, const struct msghdr *message);

/* All from `first` to `last` are about to be closed. */
void descriptors_closed(uint32_t first, uint32_t last);

#endif
