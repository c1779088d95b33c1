#include "registry/destroyed.h"

#include <string.h>

#include "base/hash.h"

static struct entry {
	_Atomic uint32_t taken;
	uint32_t kind;
	_Atomic uint64_t handle;
	uint64_t state;
	struct rec_misuse_part by;
} table[DESTROYED_MOST];

static _Atomic uint32_t any_noted;
_Atomic uint32_t destroyed_rwlocks;

static struct entry *entry_of(uint64_t handle)
{
	return &table[hash_mix(handle) % DESTROYED_MOST];
}

/* Return: the entry, to be given back; NULL: somebody has it. */
static struct entry *entry_take(uint64_t handle)
{
	struct entry *entry = entry_of(handle);
	return atomic_exchange_explicit(&entry->taken, 1, memory_order_acquire) ? NULL : entry;
}

static void entry_give(struct entry *entry)
{
	atomic_store_explicit(&entry->taken, 0, memory_order_release);
}

static bool entry_is(const struct entry *entry, enum kind kind, uint64_t handle)
{
	return entry->kind == kind && atomic_load_explicit(&entry->handle, memory_order_relaxed) == handle;
}

static void flag(_Atomic uint32_t *word)
{
	if (!atomic_load_explicit(word, memory_order_relaxed))
		atomic_store_explicit(word, 1, memory_order_relaxed);
}

void destroyed_note(enum kind kind, uint64_t handle, uint64_t state, const struct rec_misuse_part *by)
{
	struct entry *entry = entry_take(handle);
	if (!entry)
		return;
	flag(&any_noted);
	if (kind == KIND_RWLOCK && state)
		flag(&destroyed_rwlocks);
	entry->kind = kind;
	atomic_store_explicit(&entry->handle, handle, memory_order_relaxed);
	entry->state = state;
	entry->by = *by;
	entry_give(entry);
}

bool destroyed_maybe(uint64_t handle)
{
	return atomic_load_explicit(&entry_of(handle)->handle, memory_order_relaxed) == handle;
}

bool destroyed_find(enum kind kind, uint64_t handle, uint64_t *ret_state, struct rec_misuse_part *ret_by)
{
	struct entry *entry = destroyed_maybe(handle) ? entry_take(handle) : NULL;
	if (!entry)
		return false;
	bool found = entry_is(entry, kind, handle);
	if (found) {
		*ret_state = entry->state;
		*ret_by = entry->by;
	}
	entry_give(entry);
	return found;
}

void destroyed_forget(enum kind kind, uint64_t handle)
{
	struct entry *entry = destroyed_maybe(handle) ? entry_take(handle) : NULL;
	if (!entry)
		return;
	if (entry_is(entry, kind, handle))
		atomic_store_explicit(&entry->handle, 0, memory_order_relaxed);
	entry_give(entry);
}

void destroyed_fork_child(void)
{
	/* Most processes have no use for its pages, and a child is not to be given any. */
	if (!atomic_load_explicit(&any_noted, memory_order_relaxed))
		return;
	memset(table, 0, sizeof table);
	atomic_store_explicit(&any_noted, 0, memory_order_relaxed);
	atomic_store_explicit(&destroyed_rwlocks, 0, memory_order_relaxed);
}
