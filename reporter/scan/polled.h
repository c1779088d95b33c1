/*
 * Pointers that only the kernel keeps: what a program gave to epoll_ctl to get it
 * back from epoll_wait is often the address of a connection that nothing else
 * points to. /proc shows it.
 *
 * Context: reporter.
 */
#ifndef WH_REPORTER_SCAN_POLLED_H
#define WH_REPORTER_SCAN_POLLED_H

#include "reporter/scan/mark.h"

/*
 * Marks what the data of every watched descriptor of process `pid` points to; 0: of the calling thread. An
 * image has none of its own: its original is asked, as it is now.
 */
void polled_mark(struct mark *mark, int32_t pid);

/*
 * Calls `each` with what /proc/PID/fdinfo says of every epoll. `text` ends with a NUL; NULL: there is more, of which nothing can be
 * known: an io_uring, or an epoll of too many to be read.
 */
typedef void polled_file(const char *text, void *data);
void polled_each(int32_t pid, polled_file *each, void *data);

/* Calls `each` for the data in a file of /proc/PID/fdinfo. `text` ends with a NUL. */
void polled_parse(const char *text, void (*each)(uint64_t word, void *data), void *data);

#endif
