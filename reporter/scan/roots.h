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

/*
 * Once all is marked: shows `seek` (mark.h), with `data`, all that is alive: the roots, the blocks that were reached, without those
 * that have a flag of `but` (enum block_flag), and the mappings that were read. Return: whether it was all.
 */
bool roots_seek(struct image *image, struct mark *mark, mark_seek *seek, void *data, unsigned but);

/* What a stopped thread that was held back (orphans.h) leads to; to be followed by mark_run. */
void roots_mark_thread(struct image *image, struct mark *mark, uint64_t stop);

/* One of those mappings, which was reached. `image` is a struct image. */
void roots_read_extent(struct mark *mark, const struct extent *extent, void *image);

#endif
