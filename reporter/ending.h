/*
 * The end of a process: the detectors of the end, the leak scan, the last entries
 * of the log. Runs on the thread that ends the process, on a stack of its own.
 */
#ifndef WH_REPORTER_ENDING_H
#define WH_REPORTER_ENDING_H

#include "base/context.h"
#include "base/types.h"

/* `caller` is the frame address of the function that ends the process: what lies above is its live stack. */
void ending_judge(const void *caller);

#endif
