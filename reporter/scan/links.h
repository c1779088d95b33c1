/*
 * Lists whose links are distances. Berkeley DB's lie in memory that may be mapped anywhere, so an element holds how far it is from
 * itself to the next one, and to the place that leads to itself; also where all of it is memory from malloc, in one process. No word
 * there is an address.
 *
 *        previous ──▶ +at: next ──── previous + next = element ───▶ element
 *                      ▲                                               │
 *                      └── element + back = where that `next` is ── back
 *
 * That both agree is no accident: one of the two is negative, and the way back ends at a word that leads to just that element.
 *
 * Context: reporter.
 */
#ifndef WH_REPORTER_SCAN_LINKS_H
#define WH_REPORTER_SCAN_LINKS_H

#include "reporter/scan/mark.h"

/* When all else has been marked: marks the elements of such lists as far as they hang on what was reached, and what they lead to. */
void links_mark(struct mark *mark);

#endif
