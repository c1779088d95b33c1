/*
 * The search for lost memory in a program that runs on: when a command asks for it (rec_header.scan),
 * and every so often where the option `leaks` says so.
 *
 *   reporter thread ── stop threads, read registers, fork, let go ──▶ image: marks, at the lowest priority
 *          ticks go on                                                  │ what nothing leads to is suspect
 *          a moment later: the same again  ────────────────────────────▶ second image: what was suspect and
 *          findings, into the log                                         still is, is lost
 *
 * The program stands still for as long as it takes to copy its page tables, and for the stopping. An image is
 * a consistent cut: the kernel blocks all writers before the copy is complete. What is on its way through realloc at that
 * moment is in self.moving; through a pipe, say, will have arrived at the second look. Where threads can't be stopped
 * (a debugger has them, ptrace is denied), stacks count from end to end, registers are unknown, and what is found is
 * a possible-leak, after more looks: what a register holds that is worked with changes.
 *
 * Context: reporter, all of it.
 */
#ifndef WH_REPORTER_SCAN_LIVE_H
#define WH_REPORTER_SCAN_LIVE_H

#include "base/arena.h"
#include "platform/unforked.h"
#include "registry/snapshot.h"
#include "reporter/scan/image.h"
#include "reporter/scan/stop.h"

struct verdict;

enum live_stage {
	LIVE_IDLE,
	LIVE_TO_LOOK, /* at `due` */
	LIVE_LOOKING, /* `image` is at it */
};

struct live {
	enum live_stage stage;
	unsigned look; /* from 0 */
	bool by_request;
	uint32_t request; /* the newest one when it began */
	nsec_t begun, due;
	nsec_t last; /* when the newest one ended */
	unsigned tries;
	int32_t image; /* process */
	struct unforked unforked;
	bool stopped; /* the threads, for every look so far */
	struct stop stop;
	enum channels channels;
	struct arena arena;
	struct snapshot snapshot;
	struct verdict *verdicts[2]; /* in turns */
	uint32_t degraded;
	uint32_t images;
	nsec_t pause, fork, cpu;
	uint64_t memory;
	nsec_t forking; /* the newest image */
};

/* What is to be done now. Return: whether findings were added to the log that nobody but who asked is to be told of. */
bool live_step(struct live *live);

/* How long it may be until the next live_step; UINT64_MAX: for ever. */
nsec_t live_wait(const struct live *live);

/* Gives up what it is at. */
void live_cancel(struct live *live);

/* In a fork child: there is none. Context: hook. */
void live_fork_child(struct live *live);

#endif
