#include "registry/destroyed.h"

#include <stdatomic.h>
#include <string.h>

#include "base/hash.h"

static struct entry {
	_Atomic uint32_t taken;
	uint64_t mutex;
	struct rec_misuse_part by;
} table[DESTROYED_MOST];

static _Atomic uint32_t any_noted;

/* Return: the entry, to be given back; NULL: somebody has it. */
static struct entry *entry_take(uint64_t mutex)
{
	struct entry *entry = &table[hash_mix(mutex) % DESTROYED_MOST];
	return atomic_exchange_explicit(&entry->taken, 1, memory_order_acquire) ? NULL : entry;
}

static void entry_give(struct entry *entry)
{
	atomic_store_explicit(&entry->taken, 0, memory_order_release);
}

void destroyed_note(uint64_t mutex, const struct rec_misuse_part *by)
{
	struct entry *entry = entry_take(mutex);
	if (!entry)
		return;
	if (!atomic_load_explicit(&any_noted, memory_order_relaxed))
		atomic_store_explicit(&any_noted, 1, memory_order_relaxed);
	entry->mutex = mutex;
	entry->by = *by;
	entry_give(entry);
}

bool destroyed_find(uint64_t mutex, struct rec_misuse_part *ret_by)
{
	struct entry *entry = entry_take(mutex);
	if (!entry)
		return false;
	bool found = entry->mutex == mutex;
	if (found)
		*ret_by = entry->by;
	entry_give(entry);
	return found;
}

void destroyed_fork_child(void)
{
	/* Most processes have no use for its pages, and a child is not to be given any. */
	if (!atomic_load_explicit(&any_noted, memory_order_relaxed))
		return;
	memset(table, 0, sizeof table);
	atomic_store_explicit(&any_noted, 0, memory_order_relaxed);
}
