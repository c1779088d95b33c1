/*
 * Several blocks of cells in a row, for one thread: struct rec_cells and struct rec_use_cells. Readers see blocks like others.
 *
 * Context: hook.
 */
#ifndef WH_REGISTRY_CELL_ROW_H
#define WH_REGISTRY_CELL_ROW_H

#include <stdatomic.h>

#include "base/context.h"
#include "registry/recording.h"
#include "registry/thread.h"

#define CELL_ROW 16u /* blocks; a power of two */

/* How such a block begins. */
struct cell_block {
	_Atomic uint32_t owned;
	thread_id owner;
};

static inline struct cell_block *cell_block_at(void *blocks, size_t bytes_each, uint64_t number)
{
	return (struct cell_block *)((char *)blocks + bytes_each * number);
}

/*
 * The first of CELL_ROW new blocks of that table, of `bytes_each`, which are the calling thread's from now on; it has
 * a slot. NULL: there is no room, or another thread that looked for a single one was quicker.
 */
static inline void *cell_row_take(enum rec_table_id id, size_t bytes_each)
{
	const struct rec_table *table = &recording->tables[id];
	/* Half of the room is for those who have none yet. */
	if (atomic_load_explicit(&table->used, memory_order_relaxed) > table->capacity / 2)
		return NULL;
	uint64_t at = recording_append(id, CELL_ROW * bytes_each);
	if (at == UINT64_MAX)
		return NULL;
	void *row = (char *)recording_table(id) + at;
	for (uint32_t i = 0; i < CELL_ROW; i++) {
		struct cell_block *block = cell_block_at(row, bytes_each, i);
		uint32_t free = 0;
		if (atomic_compare_exchange_strong(&block->owned, &free, 1)) {
			block->owner = self.slot->id;
			continue;
		}
		while (i--) {
			block = cell_block_at(row, bytes_each, i);
			block->owner = 0;
			atomic_store_explicit(&block->owned, 0, memory_order_release);
		}
		return NULL;
	}
	return row;
}

#endif
