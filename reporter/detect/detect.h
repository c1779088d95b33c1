/*
 * Detectors: a snapshot in, findings out. They are pure functions, the same in
 * the target's reporter thread and in the command, so that a live verdict and a
 * later one agree by construction.
 *
 * A live snapshot is not one instant: each thread was copied at its own moment.
 * What is found in one look is therefore a candidate; two looks with the same key
 * and the same witness make it a fact (reporter/incident.h). The witness names
 * every hold and wait that the finding rests on by its serial: both looks met the
 * same ones, so all of them lasted from the end of the first look to the start of the
 * second, together. Nothing moves in a dead process, so there one look will do.
 *
 * A thread that was copied torn is in no finding.
 */
#ifndef WH_DETECT_DETECT_H
#define WH_DETECT_DETECT_H

#include "options.h"
#include "reporter/finding.h"

/* The thresholds; 0: off. */
struct limits {
	nsec_t blocked, held, iterating, idle_blocked;
	uint64_t heap_growth_rate; /* bytes a second ... */
	nsec_t heap_growth_for;    /* ... all through this time */
	unsigned thread_growth_percent;
	nsec_t thread_growth_in;
	nsec_t growth;
	uint64_t rss_growth_rate; /* bytes a second ... */
	nsec_t rss_growth_for;
	unsigned fragmentation_percent;
	nsec_t fragmentation_in;
	bool mappings;         /* what the program maps itself is recorded */
	nsec_t iteration_slow; /* P99 of iterations by site */
	uint32_t order_news;   /* rec_header.order_news that was judged before; 0: judge them all */
	uint32_t misuse_news;  /* rec_header.misuse_news that was judged before; 0: judge them all */
	thread_id exiting;     /* detect_end: the thread that ends the process; 0: unknown */
};

/* As the options say, in the target. Context: signal. */
void limits_from_options(struct limits *limits, const struct options *from);
/* As they were in force in the process of `view`, as far as its recording says. Context: signal. */
void limits_from_recording(struct limits *limits, const struct view *view);
/*
 * How often the process's counters have to be noted (REC_SERIES): a few times in the shortest time that is judged by them, each
 * second where that is longer: with that the ring covers more than an hour. Context: signal.
 */
nsec_t limits_point_every(const struct limits *limits);

/*
 * Adds what is wrong now to `list`, the most serious and oldest first. Ages are measured up to
 * snapshot->now: whoever knows of time in which nothing could run (a late tick) sets it back.
 *
 * Context: reporter. Cost: linear in threads, holds and edges of the wait graph.
 */
void detect_live(const struct snapshot *snapshot, const struct limits *limits, struct finding_list *list);

/*
 * Adds what can be said only of a process that has ended, or is ending: call it on the way out,
 * or on a recording whose process is gone. Of one that was killed or replaced itself it says
 * only what no orderly end would have put right.
 */
void detect_end(const struct snapshot *snapshot, const struct limits *limits, struct finding_list *list);

/* Whether a kind tells of what happened, or could, once and for all: it is never over. Context: signal. */
bool detect_is_event(unsigned kind);

/* How many looks in a row a finding of this kind needs: 2, or 1 for those over counters. Context: signal. */
unsigned detect_looks(unsigned kind);

#endif
