/*
 * A library for measuring: what is taken and given back costs next to nothing by itself, so that what following
 * it costs shows. Handles are blocks of memory that stay where they are.
 */
#ifndef WH_TESTPROGS_COUNTERS_H
#define WH_TESTPROGS_COUNTERS_H

struct counter;

/* NULL: there is no memory. */
struct counter *counter_take(void);
void counter_give(struct counter *counter);

/* In no pair of anybody's. */
int counter_look(const struct counter *counter);

#endif
