/*
 * The end of a process: the detectors of the end, the leak scan, the last entries
 * of the log. Runs on the thread that ends the process, on a stack of its own.
 */
#ifndef WH_REPORTER_ENDING_H
#define WH_REPORTER_ENDING_H

#include "base/context.h"
#include "base/types.h"
#include "reporter/scan/scan.h"

/* `caller` is the thread that ends the process, as it was when it called in. */
void ending_judge(const struct scan_caller *caller);

#endif
