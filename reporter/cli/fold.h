/*
 * Many processes of one run that end with the same to be said of them: sixty times expr in a configure script. The first
 * is told whole; of the rest, at the end of the run, how many there were.
 *
 * Two reports say the same where their findings have the same kinds and the same stacks, as places in the files
 * of the modules; how many bytes each of them lost may differ, and is added up.
 *
 * Context: offline.
 */
#ifndef WH_CLI_FOLD_H
#define WH_CLI_FOLD_H

#include "reporter/write/report.h"

struct folded;

struct folds {
	struct folded *at; /* owned */
	size_t count, room;
};

/* Whether an equal report has been told before; then it is counted, else it is remembered. */
bool folds_hold(struct folds *folds, const struct report *report);

/* What was counted, a line for each report that was made more than once. Return: whether there was anything. */
bool folds_write(const struct folds *folds, struct sink *sink);

void folds_release(struct folds *folds);

#endif
