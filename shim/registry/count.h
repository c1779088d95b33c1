/*
 * Counters of what is allocated: by site (the stack that made it), by thread and
 * for the process. Exact, and no cache line is written by two threads on the
 * way of an allocation:
 *
 *   - by site, a thread counts in cells of its own (struct rec_cells), which lie in
 *     the recording, so that readers add them up and nothing is lost when the
 *     process is killed. A cell is moved to its site when another site needs
 *     the place, and when it is SPILL bytes ahead or behind, so that peaks are known. A thread
 *     with so many sites that this happens all the time gets a row of such blocks;
 *   - for the process, in the thread's slot, moved to the header in the same way.
 *
 * Large blocks, samples (which count for more than themselves) and threads that
 * have no cells go to the shared counters at once.
 *
 * Context: hook.
 */
#ifndef WH_REGISTRY_COUNT_H
#define WH_REGISTRY_COUNT_H

#include "base/context.h"
#include "registry/format.h"
#include "registry/recording.h"
#include "registry/thread.h"

/* How far a thread's counter may be from the shared one, in bytes; also the largest block that cells take. */
#define COUNT_SPILL ((int64_t)64 * 1024)

enum count_what { COUNT_MADE, COUNT_FREED };

/* The site of a stack, made at its first allocation; 0: no stack, or no room. */
static inline site_id count_site(stack_id stack);
site_id count_site_make(struct rec_stack *stack_record, stack_id stack);

/* `bytes` in `blocks` blocks of `site` were made or freed. For any amount, also negative ones. */
void count_shared(site_id site, int64_t bytes, int64_t blocks, enum count_what what);
/* The same for one block, on the fast way. */
ALWAYS_INLINE void count_block(site_id site, uint64_t size, enum count_what what);

/* The same for one block, that counts at its site alone: it lies in memory that counts already. */
void count_within(site_id site, uint64_t size, enum count_what what);

/* Adds what the thread's slot counts to the process's counters. */
void count_flush(void);
/* The thread ends: its cells go to the sites and back to the recording. */
void count_thread_end(void);
/* In a fork child: the cells were the parent's. */
void count_fork_child(void);

/* -- the fast way ------------------------------------------------------------ */

bool count_due(struct rec_cell *cell);
void count_otherwise(site_id site, uint64_t size, enum count_what what);

/*
 * Adds to a counter that only its own thread writes; readers want whole words. Return: the sum. Not one
 * instruction: the sum would have to be loaded again, and who allocates in a signal handler that
 * interrupts an allocation has worse to fear than a count that is one off.
 */
static inline uint64_t count_add(_Atomic uint64_t *counter, uint64_t amount)
{
	uint64_t *word = (uint64_t *)counter;
	uint64_t sum = __atomic_load_n(word, __ATOMIC_RELAXED) + amount;
	__atomic_store_n(word, sum, __ATOMIC_RELAXED);
	return sum;
}

/* Bytes by which one amount is ahead of another; both are within 2^39 of each other. */
static inline int64_t count_ahead(uint64_t made, uint64_t freed)
{
	return (int64_t)((made - freed) << 24) >> 24;
}

static inline site_id count_site(stack_id stack)
{
	if (UNLIKELY(!stack))
		return 0;
	struct rec_stack *record = recording_stack(stack);
	site_id site = __atomic_load_n((uint32_t *)&record->site, __ATOMIC_ACQUIRE);
	return LIKELY(site) ? site : count_site_make(record, stack);
}

/* The place of a site among the thread's own cells: readers look in each block at the one of that number. */
ALWAYS_INLINE struct rec_cell *count_cell_at(struct rec_cells *cells, site_id site)
{
	const uint64_t at = site & self.cell_mask, block = at / REC_CELLS_EACH;
	const uint64_t between =
	    sizeof *cells - sizeof cells->cells; /* the cells of one block and the next */
	return (struct rec_cell *)((char *)&cells->cells[at] + block * between);
}

/* The cell among `cells`, the thread's own, for a block of `size` bytes at `site`; NULL: it goes another way. */
ALWAYS_INLINE struct rec_cell *count_cell_in(struct rec_cells *cells, site_id site, uint64_t size)
{
	if (UNLIKELY(!site) || UNLIKELY(size > (uint64_t)COUNT_SPILL))
		return NULL;
	/* Most threads have one block, and in a row the sixteenth of all sites is here, too. */
	struct rec_cell *cell = &cells->cells[site % REC_CELLS_EACH];
	if (LIKELY(__atomic_load_n((uint32_t *)&cell->site, __ATOMIC_RELAXED) == site))
		return cell;
	cell = count_cell_at(cells, site);
	bool good = __atomic_load_n((uint32_t *)&cell->site, __ATOMIC_RELAXED) == site;
	return LIKELY(good) ? cell : NULL;
}

ALWAYS_INLINE struct rec_cell *count_cell(site_id site, uint64_t size)
{
	struct rec_cells *cells = self.cells;
	return LIKELY(cells) ? count_cell_in(cells, site, size) : NULL;
}

/*
 * Adds one block to one of two counters. `ret_due`: they are too far apart now, or near their end, and to
 * be moved to where they belong. Return: by how many bytes `made` is ahead.
 */
ALWAYS_INLINE int64_t count_pair(_Atomic uint64_t *made, _Atomic uint64_t *freed, uint64_t size,
				 enum count_what what, bool *ret_due)
{
	uint64_t sum = count_add(what == COUNT_MADE ? made : freed, AMOUNT_BLOCK + size);
	uint64_t other = __atomic_load_n((uint64_t *)(what == COUNT_MADE ? freed : made), __ATOMIC_RELAXED);
	int64_t ahead = what == COUNT_MADE ? count_ahead(sum, other) : count_ahead(other, sum);
	*ret_due |= (int64_t)sum < 0 || (uint64_t)(ahead + COUNT_SPILL) > 2 * (uint64_t)COUNT_SPILL;
	return ahead;
}

/* Counts in that cell. The last thing on its way, which needs no registers for what comes after. Return: true. */
ALWAYS_INLINE bool count_in_cell(struct rec_cell *cell, uint64_t size, enum count_what what)
{
	/* A thread with cells has a slot. */
	struct rec_thread *slot = self.slot;
	bool due = false;
	int64_t ahead = count_pair(&cell->made, &cell->freed, size, what, &due);
	if (what == COUNT_MADE && ahead > (int64_t)__atomic_load_n((uint64_t *)&cell->peak, __ATOMIC_RELAXED))
		__atomic_store_n((uint64_t *)&cell->peak, (uint64_t)ahead, __ATOMIC_RELAXED);
	count_pair(&slot->made, &slot->freed, size, what, &due);
	return LIKELY(!due) || count_due(cell);
}

ALWAYS_INLINE void count_block(site_id site, uint64_t size, enum count_what what)
{
	struct rec_cell *cell = count_cell(site, size);
	if (LIKELY(cell))
		count_in_cell(cell, size, what);
	else
		count_otherwise(site, size, what);
}

#endif
