/*
 * Names for addresses, offline: function, file, line and inlined calls of every
 * frame; the variable at an address. See README.md here for what is looked up
 * where, and in which order.
 *
 * One symbolizer serves any number of recordings, one after the other: the files
 * and every address that was looked up are kept until it is closed. One thread.
 *
 * Context: offline.
 */
#ifndef WH_SYMBOLIZE_SYMBOLIZE_H
#define WH_SYMBOLIZE_SYMBOLIZE_H

#include "reporter/write/frames.h"

/* NULL: no memory. The caller closes it. */
struct symbolizer *symbolizer_open(void);

/* Frees every string that it gave out. NULL is allowed. */
void symbolizer_close(struct symbolizer *symbolizer);

/*
 * Calls `each` with every file that has no names, or fewer than it could have, and a sentence that
 * says why ("… is not the file that ran: it has build-id …"). Of those looked up so far.
 */
void symbolizer_notes(struct symbolizer *symbolizer,
		      void (*each)(const char *path, const char *note, void *data), void *data);

#endif
