/*
 * A view: the tables of one recording as bytes in this process's memory. In the
 * target it points at the live mapping; in the command at what the reader copied
 * and checked (reporter/recording/reader.h). Detectors, writers and symbolizers
 * go through a view and so are the same code in both places.
 *
 * Nothing in a view is trusted: each look-up checks its range and answers
 * "nothing" where a number points astray.
 *
 * Context: signal, all of it.
 */
#ifndef WH_REGISTRY_VIEW_H
#define WH_REGISTRY_VIEW_H

#include "registry/format.h"
#include "registry/kind.h"

struct view {
	const struct rec_header *header;
	const void *tables[REC_TABLES];
	bool live; /* the target may still be writing */
};

/* Where the recording's mapping ends, all that its tables may grow to included. */
uint64_t view_end(const struct view *view);

/* Bytes of a table that mean something, now. */
uint64_t view_used(const struct view *view, enum rec_table_id table);

/* Slot, resource, site or object number `index`; NULL past the end. */
const struct rec_thread *view_thread(const struct view *view, uint32_t index);
uint32_t view_thread_slots(const struct view *view);
const struct rec_hold *view_resource(const struct view *view, uint32_t index);
const struct rec_object *view_object(const struct view *view, uint32_t index);
const struct rec_site *view_site(const struct view *view, site_id site);
uint32_t view_sites(const struct view *view); /* valid ids are 1 to this number - 1 */

/*
 * What is counted for a site, by it and by the threads' cells. While the program runs, what one thread
 * is just moving from its cell to the site may be missing; nothing is ever counted twice.
 */
struct site_counts {
	uint64_t live_bytes, live_blocks, total_bytes, total_blocks, peak_bytes;
};
struct site_counts view_site_counts(const struct view *view, site_id site);

/* Of the order of locks: an entry by index, a lock by its number (not 0); NULL past the end. */
const struct rec_lineage *view_lineage(const struct view *view, uint32_t index);
const struct rec_edge *view_edge(const struct view *view, uint32_t index);
const struct rec_lock *view_lock(const struct view *view, uint32_t lock);

/* A misuse by index; NULL past the end. */
const struct rec_misuse *view_misuse(const struct view *view, uint32_t index);

/* A site that grows, by index; NULL past the end. */
const struct rec_growth *view_growth(const struct view *view, uint32_t index);

/* The arenas of libc's allocator; NULL: they were never measured. */
const struct rec_arenas *view_arenas(const struct view *view);

/* How locks are used: a use by its number (1 to the last); NULL past the end and where it is not whole. */
uint32_t view_uses(const struct view *view); /* the last number */
const struct rec_use *view_use(const struct view *view, uint32_t use);
/*
 * Adds to ret_taken[use] how often the threads' cells have it that the use took its lock, for uses up to `last`. Before the
 * uses' own counters are read: then what is moved meanwhile is missed, or seen once.
 */
void view_uses_in_cells(const struct view *view, uint64_t *ret_taken, uint32_t last);
/* How long iterators of one place were open, by index; NULL past the end. */
const struct rec_iteration *view_iteration(const struct view *view, uint32_t index);
/* So many percent of them were open no longer than this, to an eighth of it; 0 where there were none. */
nsec_t view_iteration_percentile(const struct rec_iteration *iteration, unsigned percent);

/* The newest answer to why something is alive; NULL: there was none. */
const struct rec_why *view_why(const struct view *view);
/* A span by its place; NULL past the end. */
const struct rec_span *view_span(const struct view *view, uint32_t place);

/* The record of a stack whose frames lie wholly inside the table; NULL for 0 and nonsense. */
const struct rec_stack *view_stack(const struct view *view, stack_id stack);

/* The module that held `address` in `epoch`; NULL: none known. */
const struct rec_module *view_module(const struct view *view, uint64_t address, uint32_t epoch);
uint32_t view_modules(const struct view *view);
const struct rec_module *view_module_at(const struct view *view, uint32_t index);

/* A NUL-terminated string; "" for 0 and nonsense. */
const char *view_text(const struct view *view, text_id text);

/*
 * What the program is called: the last part of argv[0], which is what its user typed (redis-server,
 * not the redis-check-rdb that it is a link to); else of the executable's path. "?" where nothing is known.
 */
const char *view_program(const struct view *view);

/* Where a lock lies, by its number (not 0); NULL: nothing is known, or not any more. */
const struct rec_place *view_place(const struct view *view, uint32_t place);

/* The number of what is known of `address`, of something held or waited for since then; 0: nothing. Linear. */
uint32_t view_place_find(const struct view *view, uint64_t address, nsec_t since);

/* Who has last signalled what is at `handle`, copied as a whole. Return: false: nobody is known. */
bool view_signal(const struct view *view, unsigned kind, uint64_t handle, struct rec_signal *ret_signal);

/* The object known at `address` with this kind (KIND_NONE: any); NULL: none. Linear. */
const struct rec_object *view_object_find(const struct view *view, uint64_t address, unsigned kind);

#endif
