/*
 * The watch over the recordings of one run: those of the program and of every
 * process it starts. Tells what they find as they find it, and the end of each;
 * removes what they leave, unless it is to be kept.
 *
 *   monitor_init ──▶ monitor_poll, ten times a second ──▶ monitor_finish
 *
 * A process that outlives the run (a daemon) is given back to itself: it tells its findings on its own.
 *
 * Context: offline.
 */
#ifndef WH_CLI_MONITOR_H
#define WH_CLI_MONITOR_H

#include <time.h>

#include "reporter/cli/launch.h"
#include "reporter/cli/render.h"

struct watched;
struct stranger;

struct monitor {
	struct renderer *renderer;
	const struct launch *launch;
	bool keep;               /* the user wants the recordings */
	bool dirty;              /* the directory is to be read, whatever its time says */
	struct timespec changed; /* the directory's time at the last look */
	struct watched *watched; /* recordings of the run; owned */
	size_t watched_count, watched_room;
	struct stranger *strangers; /* files that are not of the run; owned */
	size_t stranger_count, stranger_room;
};

void monitor_init(struct monitor *monitor, struct renderer *renderer, const struct launch *launch, bool keep);

/* Looks for new recordings, new findings, and processes that have ended. */
void monitor_poll(struct monitor *monitor);

/* After the program has ended: tells the ends of all that have, lets go of the others, gives everything back. */
void monitor_finish(struct monitor *monitor);

#endif
