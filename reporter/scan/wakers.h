/*
 * What else could wake a thread, besides another thread with a pointer in memory:
 *
 *   handlers    a signal's handler runs on the thread itself, with its thread-local storage at hand; it may jump out of
 *               the wait, or the wait ends by itself (EINTR)
 *   cancelling  by whoever has the thread's pthread_t
 *   channels    a pointer that is on its way through the kernel: in a pipe, a socket, a message queue, a ring of
 *               asynchronous I/O; or that another process sends back to us
 *   timers      carry a word of the program's to its handler
 *
 * Each answer errs on the side of the one who could.
 */
#ifndef WH_REPORTER_SCAN_WAKERS_H
#define WH_REPORTER_SCAN_WAKERS_H

#include "reporter/scan/image.h"

/*
 * Of the process itself: its descriptors, one by one, as they are now. Context: reporter, in the target (not in
 * a copy, which may be forbidden to look at them).
 */
enum channels channels_look(void);

struct wakers {
	bool cancel;  /* something in the process can cancel threads */
	bool jump;    /* something can leave a handler by a jump */
	bool unknown; /* a way out of the process that nothing is known of is in use */
};

/* Of the process that `image` is of. */
void wakers_find(const struct image *image, struct wakers *ret_wakers);

/* What handlers can do while that thread sleeps. */
enum handled {
	HANDLED_NEVER,     /* none will run on it */
	HANDLED_RESTARTED, /* one may; a wait that a signal interrupts goes on behind it */
	HANDLED_ENDED,     /* one may, and a wait that does not begin again by itself is over */
};
enum handled wakers_of_thread(int32_t pid, int32_t tid);

#endif
