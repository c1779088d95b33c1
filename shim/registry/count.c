#include "registry/count.h"

#include <string.h>

#include "registry/cell_row.h"

static void add(_Atomic uint64_t *counter, uint64_t amount)
{
	__atomic_fetch_add((uint64_t *)counter, amount, __ATOMIC_RELAXED);
}

static void raise_to(_Atomic uint64_t *counter, int64_t value)
{
	uint64_t known = __atomic_load_n((uint64_t *)counter, __ATOMIC_RELAXED);
	while (value > (int64_t)known &&
	       !__atomic_compare_exchange_n((uint64_t *)counter, &known, (uint64_t)value, true,
					    __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
}

static uint64_t take(_Atomic uint64_t *counter)
{
	uint64_t amount = __atomic_load_n((uint64_t *)counter, __ATOMIC_RELAXED);
	__atomic_store_n((uint64_t *)counter, 0, __ATOMIC_RELEASE);
	return amount;
}

static struct rec_site *site_at(site_id site)
{
	return &((struct rec_site *)recording_tables[REC_SITES])[site];
}

site_id count_site_make(struct rec_stack *stack_record, stack_id stack)
{
	uint64_t at = recording_append(REC_SITES, sizeof(struct rec_site));
	if (at == UINT64_MAX)
		return 0;
	site_id made = (site_id)(at / sizeof(struct rec_site));
	site_at(made)->stack = stack;
	uint32_t none = 0;
	/* Two threads may make one at the same time; the loser's stays unused. */
	if (__atomic_compare_exchange_n((uint32_t *)&stack_record->site, &none, made, false, __ATOMIC_ACQ_REL,
					__ATOMIC_ACQUIRE))
		return made;
	site_at(made)->stack = 0;
	return none;
}

/* -- by site ------------------------------------------------------------------ */

static void count_at_site(site_id site, int64_t bytes, int64_t blocks, enum count_what what)
{
	struct rec_site *at = site_at(site);
	int64_t live_bytes = what == COUNT_MADE ? bytes : -bytes;
	int64_t live =
	    (int64_t)__atomic_add_fetch((uint64_t *)&at->live_bytes, (uint64_t)live_bytes, __ATOMIC_RELAXED);
	add(&at->live_blocks, (uint64_t)(what == COUNT_MADE ? blocks : -blocks));
	if (what == COUNT_FREED)
		return;
	add(&at->total_bytes, (uint64_t)bytes);
	add(&at->total_blocks, (uint64_t)blocks);
	raise_to(&at->peak_bytes, live);
}

/*
 * Moves what the cell counts to its site. Meanwhile the cell belongs to no site: a reader, or one
 * that comes after a SIGKILL right here, may miss what is being moved and never sees it twice.
 */
static void move(struct rec_cell *cell, site_id next)
{
	self.moving_cell = true;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	site_id site = __atomic_load_n((uint32_t *)&cell->site, __ATOMIC_RELAXED);
	__atomic_store_n((uint32_t *)&cell->site, 0, __ATOMIC_RELEASE);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	uint64_t made = take(&cell->made), freed = take(&cell->freed), peak = take(&cell->peak);
	if (site && (made || freed)) {
		struct rec_site *at = site_at(site);
		uint64_t bytes = amount_bytes(made) - amount_bytes(freed);
		uint64_t before = __atomic_fetch_add((uint64_t *)&at->live_bytes, bytes, __ATOMIC_RELAXED);
		add(&at->live_blocks, amount_blocks(made) - amount_blocks(freed));
		add(&at->total_bytes, amount_bytes(made));
		add(&at->total_blocks, amount_blocks(made));
		raise_to(&at->peak_bytes, (int64_t)(before + peak));
	}
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	__atomic_store_n((uint32_t *)&cell->site, next, __ATOMIC_RELEASE);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	self.moving_cell = false;
}

/* -- for the process ---------------------------------------------------------- */

void count_flush(void)
{
	struct rec_thread *slot = self.slot;
	if (!slot || !recording)
		return;
	uint64_t made = take(&slot->made), freed = take(&slot->freed);
	self.made_bytes += amount_bytes(made);
	self.freed_bytes += amount_bytes(freed);
	add(&recording->total_bytes, amount_bytes(made));
	add(&recording->total_blocks, amount_blocks(made));
	add(&recording->live_blocks, amount_blocks(made) - amount_blocks(freed));
	uint64_t live = __atomic_add_fetch((uint64_t *)&recording->live_bytes,
					   amount_bytes(made) - amount_bytes(freed), __ATOMIC_RELAXED);
	raise_to(&recording->peak_bytes, (int64_t)live);
}

static void count_at_process(int64_t bytes, int64_t blocks, enum count_what what)
{
	uint64_t live = __atomic_add_fetch((uint64_t *)&recording->live_bytes,
					   (uint64_t)(what == COUNT_MADE ? bytes : -bytes), __ATOMIC_RELAXED);
	add(&recording->live_blocks, (uint64_t)(what == COUNT_MADE ? blocks : -blocks));
	*(what == COUNT_MADE ? &self.made_bytes : &self.freed_bytes) += (uint64_t)bytes;
	if (what == COUNT_FREED)
		return;
	add(&recording->total_bytes, (uint64_t)bytes);
	add(&recording->total_blocks, (uint64_t)blocks);
	raise_to(&recording->peak_bytes, (int64_t)live);
}

void count_shared(site_id site, int64_t bytes, int64_t blocks, enum count_what what)
{
	if (site)
		count_at_site(site, bytes, blocks, what);
	count_at_process(bytes, blocks, what);
}

void count_within(site_id site, uint64_t size, enum count_what what)
{
	if (site)
		count_at_site(site, (int64_t)size, 1, what);
}

/* -- cells --------------------------------------------------------------------- */

/* Gives the calling thread cells of its own, unless there is no room. */
static void want_cells(void)
{
	struct rec_cells *all = recording_tables[REC_CELLS], *found = NULL;
	uint64_t there =
	    atomic_load_explicit(&recording->tables[REC_CELLS].used, memory_order_acquire) / sizeof *all;
	for (uint64_t i = 0; i < there && !found; i++) {
		uint32_t free = 0;
		if (atomic_load_explicit(&all[i].owned, memory_order_relaxed) == 0 &&
		    atomic_compare_exchange_strong_explicit(&all[i].owned, &free, 1, memory_order_acq_rel,
							    memory_order_relaxed))
			found = &all[i];
	}
	if (!found) {
		/* Another thread that looks for a free one may be quicker; then there is a next time. */
		uint64_t at = recording_append(REC_CELLS, sizeof *found);
		uint32_t free = 0;
		if (at != UINT64_MAX &&
		    atomic_compare_exchange_strong(&all[at / sizeof *all].owned, &free, 1))
			found = &all[at / sizeof *all];
	}
	if (found)
		found->owner = self.slot->id;
	self.cell_mask = REC_CELLS_EACH - 1;
	self.cells = found;
}

/*
 * Somewhat arbitrary: a program that has a few hundred sites which it comes to again and again never gets there; a compiler's
 * are thousands, and without more cells every other block would find another site in its own.
 */
#define MOVED_MOST 4096u

/* Moves all that the thread's blocks count to the sites, and gives the blocks back. */
static void give_cells(struct rec_cells *cells, uint32_t count)
{
	for (; count; count--, cells++) {
		for (uint32_t i = 0; i < REC_CELLS_EACH; i++)
			if (cells->cells[i].site)
				move(&cells->cells[i], 0);
		cells->owner = 0;
		memset(cells->freed, 0, sizeof cells->freed);
		atomic_store_explicit(&cells->owned, 0, memory_order_release);
	}
}

static uint32_t blocks_owned(void)
{
	return (self.cell_mask + 1) / REC_CELLS_EACH;
}

/* A thread whose sites take the cells from one another gets more. */
static NOINLINE void want_more_cells(void)
{
	/* An allocation that is interrupted may have just looked up its cell. */
	if (self.busy > SELF_IN_ALLOCATOR || blocks_owned() != 1)
		return;
	struct rec_cells *one = self.cells, *row = cell_row_take(REC_CELLS, sizeof *row);
	if (!row)
		return;
	memcpy(row->freed, one->freed, sizeof row->freed);
	self.cells = row;
	self.cell_mask = CELL_ROW * REC_CELLS_EACH - 1;
	give_cells(one, 1);
}

/* A thread that has counted this many blocks is worth cells of its own. */
#define SETTLED 64u

NOINLINE void count_otherwise(site_id site, uint64_t size, enum count_what what)
{
	if (!self.cells && self.slot && ++self.counted % SETTLED == 0)
		want_cells();
	/* A signal handler may free something while its thread moves a cell. Large blocks take their time anyway. */
	if (self.cells && site && size <= (uint64_t)COUNT_SPILL && !self.moving_cell) {
		if (UNLIKELY(++self.cells_moved % MOVED_MOST == 0))
			want_more_cells();
		struct rec_cell *cell = count_cell_at(self.cells, site);
		move(cell, site);
		count_in_cell(cell, size, what);
	} else {
		count_shared(site, (int64_t)size, 1, what);
	}
}

NOINLINE bool count_due(struct rec_cell *cell)
{
	if (!self.moving_cell)
		move(cell, __atomic_load_n((uint32_t *)&cell->site, __ATOMIC_RELAXED));
	count_flush();
	return true;
}

void count_thread_end(void)
{
	struct rec_cells *cells = self.cells;
	if (!cells)
		return;
	self.cells = NULL;
	give_cells(cells, blocks_owned());
}

void count_fork_child(void)
{
	self.cells = NULL;
}
