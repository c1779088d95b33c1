/*
 * Why is it still alive? In an image of the process: the way from a root to a block, or to the largest
 * blocks of a site, and what would go if they went.
 *
 * What would go is found by going through everything a second time as if they were not there: exact, whatever
 * rings and shared blocks there are, at the price of one more pass.
 *
 * Context: reporter, in a copy of the process.
 */
#ifndef WH_REPORTER_SCAN_WHY_H
#define WH_REPORTER_SCAN_WHY_H

#include "reporter/scan/image.h"

struct why {
	struct image *image;
	const stack_id *stacks; /* by thread of image->stop: where it was a moment ago; 0: not known */
	struct rec_why *answer; /* what, value: the question; path_count and on, and error: filled in */
};

/* Takes the image and releases it. A fault while it reads leaves -EFAULT. */
void why_answer(struct why *why);

#endif
