/*
 * The locks of a report by how they were used: for each lock, and for each place that took it, how often it was taken, how
 * long threads waited for it and held it, and how long others were made to wait meanwhile. Out of the
 * recording's counters (registry/contention.h says what is exact and what is sampled), and of what its threads wait for
 * and hold at this moment: a wait that is not over counts as long as it has lasted.
 *
 * Context: reporter. Memory is the report's arena.
 */
#ifndef WH_WRITE_LOCKS_H
#define WH_WRITE_LOCKS_H

#include "reporter/write/objects.h"

struct lock_counts {
	uint64_t taken, waits;
	nsec_t waited, waited_most, held, held_most, made_wait;
};

struct lock_place {
	stack_id stack; /* that took it; 0: unknown */
	uint8_t mode;
	struct lock_counts counts;
	struct lock_place *next; /* while they are collected */
};

struct lock_row {
	uint8_t kind;
	uint64_t handle; /* 0: several locks that one place takes */
	struct lock_counts counts;
	struct lock_place **places; /* the longest waited for first, then the most often taken */
	uint32_t place_count;
	struct lock_place *newest; /* while they are collected */
};

struct lock_table {
	struct lock_row **rows; /* in the same order */
	uint32_t count;
	uint32_t waited_for; /* of them: those that were waited for */
	struct lock_counts total;
};

/* Return: 0 or -ENOMEM. */
int locks_collect(struct names *names, struct lock_table *ret_table);

/* Sums, and the longer of the longest. Context: signal. */
void lock_counts_add(struct lock_counts *sum, const struct lock_counts *counts);

/* What a row is about: `mutex cache_lock`, `several mutexes`. */
const char *lock_row_text(struct names *names, const struct lock_row *row);

#endif
