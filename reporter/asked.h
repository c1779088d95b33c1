/*
 * Answers why something is still alive (rec_header.why), in a process that runs on: an image is made as for a
 * search for lost memory (scan/live.h), and the question answered there.
 *
 * Context: reporter, all of it.
 */
#ifndef WH_REPORTER_ASKED_H
#define WH_REPORTER_ASKED_H

#include "base/arena.h"
#include "platform/unforked.h"
#include "registry/snapshot.h"
#include "reporter/scan/stop.h"

struct asked {
	bool begun;
	uint32_t request;
	uint32_t what;
	uint64_t value;
	unsigned tries;
	bool stopped;  /* the threads */
	int32_t image; /* process; 0: to be made, at `due` */
	nsec_t from, due, pause;
	struct stop stop;
	struct unforked unforked;
	struct arena arena;
	struct snapshot snapshot;
	stack_id *stacks;       /* by thread of `stop` */
	struct rec_why *answer; /* shared with the image */
};

/* What is to be done now; and how long it may be until the next time: UINT64_MAX: for ever. */
void asked_step(struct asked *asked);
nsec_t asked_wait(const struct asked *asked);

/* Gives up what it is at. */
void asked_cancel(struct asked *asked);

/* In a fork child: there is nothing. Context: hook. */
void asked_fork_child(struct asked *asked);

#endif
