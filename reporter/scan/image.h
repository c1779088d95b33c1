/*
 * An image is what the scan knows of the process at one moment: its mappings, its
 * live blocks, which memory is the allocator's, where each thread's stack is and
 * what is in its registers. Taken while nothing else runs, or in a copy of the process.
 *
 * One owner. Context: reporter.
 */
#ifndef WH_REPORTER_SCAN_IMAGE_H
#define WH_REPORTER_SCAN_IMAGE_H

#include "registry/snapshot.h"
#include "reporter/scan/blocks.h"
#include "reporter/scan/heap.h"
#include "reporter/scan/maps.h"
#include "reporter/scan/pages.h"
#include "reporter/scan/ranges.h"
#include "reporter/scan/stop.h"

/* The exiting thread as it called in; of an image of a running process there is none: NULL. */
struct scan_caller;
struct orphans;
struct extents;
struct allocation;

/* Whether a pointer may be outside of memory, on its way through the kernel. */
enum channels {
	CHANNELS_UNKNOWN, /* they were not looked at, or could not be */
	CHANNELS_NONE,    /* nothing leads out of the process but its standard streams */
	CHANNELS_OUTSIDE, /* somebody else may send us what we sent him */
	CHANNELS_FULL,    /* something that could be a pointer of ours is in one */
};

struct image {
	const struct snapshot *snapshot;
	const struct scan_caller *caller;
	const struct stop *stop; /* the other threads; NULL: there are none, or nothing is known of them */
	bool threads_known;      /* caller and stop are all the threads there are */
	bool heap_partial;       /* the heap holds blocks that nothing is known of */
	bool seeks_ghosts;       /* pieces of libc's lists are to be told: see ghosts.h */
	int32_t process;         /* whose copy this is; 0: it is taken in the process itself */
	enum channels channels;  /* what leads out of the process; see wakers.h */
	struct orphans
	    *orphans; /* threads whose stacks are no roots, and what becomes of them; NULL: all are */
	struct extents *extents; /* mappings that are no roots; NULL: all are */
	struct range shared[2];  /* what scans share with a copy of the process; not to be looked at */
	nsec_t deadline;

	struct maps maps;
	struct ranges readable;
	struct pages pages;
	struct blocks blocks;
	struct ranges heap;
	struct range libc; /* its data, where lists of open streams are; empty: unknown */
	struct range loader;
	struct range shim;
	struct range recording;
};

/* What is known of the block that starts at `start`, one of a pool's among them. */
bool image_known(uint64_t start, struct allocation *ret_allocation);

/* Fills in what follows `deadline`. Return: 0, or -errno: nothing can be judged. */
int image_take(struct image *image);
void image_release(struct image *image);

#endif
