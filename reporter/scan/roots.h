/*
 * Roots: where the program can have pointers without following one.
 *
 *   registers       of every thread
 *   stacks          of every thread, from its stack pointer to the upper end
 *   modules         their writable data, and what the loader wrote and then protected
 *   mappings        anonymous and shared ones that are neither the allocator's nor ours: the
 *                   program's own, thread-local storage, and whatever we can't tell from it
 *   the kernel's    what epoll hands back
 *   the loader's    blocks that it allocated for itself
 *
 * Mappings that may be lost (mappings.h) are read once something points to them, as blocks are.
 *
 * What is left out: the allocator's memory (blocks count once something points to
 * them, free chunks never), stacks below the stack pointer, stacks of ended
 * threads, and everything that is the tracker's own, which is full of addresses.
 * Where in doubt it is a root: a lost block that is not found is better than a false alarm.
 *
 * Context: reporter.
 */
#ifndef WH_REPORTER_SCAN_ROOTS_H
#define WH_REPORTER_SCAN_ROOTS_H

#include "reporter/scan/image.h"
#include "reporter/scan/mark.h"

/* Marks what the roots of `image` point to, and what that leads to. Return: 0 or -ENOMEM. */
int roots_mark(struct image *image, struct mark *mark);

/* The roots alone, for who seeks something in them (mark.h); what they lead to is nobody's business. The same return. */
int roots_each(struct image *image, struct mark *mark);

/* What a stopped thread that was held back (orphans.h) leads to; to be followed by mark_run. */
void roots_mark_thread(struct image *image, struct mark *mark, uint64_t stop);

/* Those mappings: one that was reached (`image` is a struct image); all that were, for who seeks something in them. */
void roots_read_extent(struct mark *mark, const struct extent *extent, void *image);
void roots_read_extents(struct image *image, struct mark *mark);

#endif
