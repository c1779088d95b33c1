/*
 * Orphaned threads: asleep without an end on an object that nothing alive can reach, so that nobody can ever wake them.
 *
 * Go finds such goroutines in the same way since 1.26: the stacks of threads that sleep so are no roots at first; what is
 * marked from everything else decides. A thread whose object is reached could be woken by whoever reached it, so it counts
 * as alive, and its stack is marked in its turn; and so on until nothing changes. Those that are left are orphans, and
 * what they alone lead to is lost with them.
 *
 *   candidates   sleep in a futex without an end, inside of a block of the heap, in a call that is not a lock's; not the main
 *                thread, which often sleeps for good on purpose
 *   marked       their object is reached: alive
 *   sought       a pointer to the object or into the thread's frames, at any byte of live memory, whatever stands in its
 *                upper 16 bits: alive
 *   left         orphans, if the next image has them as well
 *
 * A false alarm is worse than an orphan that is not found: everything else that could wake a thread (wakers.h)
 * counts as if it did.
 *
 * One owner. Context: reporter, in an image.
 */
#ifndef WH_REPORTER_SCAN_ORPHANS_H
#define WH_REPORTER_SCAN_ORPHANS_H

#include "reporter/finding.h"
#include "reporter/scan/image.h"
#include "reporter/scan/mark.h"

#define ORPHANS_MOST 64u /* threads looked at in one image */

/* A thread that nobody can wake. */
struct orphan {
	thread_id thread;
	uint32_t changes; /* of its slot: the same in two looks = the same wait */
	uint64_t word;    /* the futex */
	uint64_t bytes;   /* of the blocks that it alone leads to */
	site_id site;     /* of the block that the futex lies in */
};

/* What is known of one while it is being judged. */
struct candidate {
	uint64_t stop;       /* its number among the image's stopped threads */
	uint32_t block;      /* that its futex lies in */
	struct range object; /* as far as pointers may point into that */
	struct range frames; /* of its stack: what somebody would point to who could wake it */
	struct range kept;   /* thread-local storage that a handler may use; empty: none */
	uint64_t pointer;    /* of the thread; also what libc knows it by */
	bool cancelled;      /* whoever knows that can cancel it */
	bool alive;
};

struct orphans {
	struct orphan found[ORPHANS_MOST];
	uint32_t count;
	/* private */
	struct candidate candidates[ORPHANS_MOST];
	uint32_t candidate_count;
	struct range objects, frames; /* that all of the candidates' lie in */
};

/* In the target, before the image is made: whether any thread of `snapshot` sleeps in such a way, and for long enough. */
bool orphans_possible(const struct snapshot *snapshot);

/* Chooses the candidates; the image's threads are all known, and its blocks indexed. Before the roots are marked. */
void orphans_choose(struct orphans *orphans, const struct image *image);

/* Whether that stopped thread is to be no root; *ret_kept is what of it is one all the same. */
bool orphans_hold_back(const struct orphans *orphans, uint64_t stop, struct range *ret_kept);

/*
 * Once the roots are marked: marks what living candidates lead to, and in the end what the orphans do. An orphan that was none
 * `before` (NULL: there is nothing before) is not in the result. Where the mark expires there are none.
 */
void orphans_settle(struct orphans *orphans, struct image *image, struct mark *mark,
		    const struct orphans *before);

/* Adds a finding for the threads of each place that they sleep in, as far as they still do in `snapshot`. */
void orphans_report(const struct orphans *orphans, const struct snapshot *snapshot, uint32_t flags,
		    struct finding_list *list);

#endif
