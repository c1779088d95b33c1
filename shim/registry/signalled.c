/*
 * Why the table is safe without a lock: `changes` is made odd by a compare-and-swap, so one thread alone writes an
 * entry, and a signal handler that interrupts it finds it odd and goes. It is made even again (release) when the entry is
 * whole. A reader (view_signal) copies the entry between two loads of the same even number. Who finds an entry of his
 * object does not look for another; two threads that make the first one at once may make two, of which readers take
 * the newer.
 *
 * Tested by testprogs/unit/test_concurrent.c, also under ThreadSanitizer.
 */
#include "registry/signalled.h"

#include <stdatomic.h>
#include <string.h>

#include "registry/clock.h"
#include "registry/recording.h"
#include "registry/thread.h"

static struct rec_signal *signal_at(uint32_t place)
{
	return (struct rec_signal *)recording_table(REC_SIGNALS) + place;
}

/* The place of the object; else a free one, else that of the longest ago. */
static uint32_t place_of(unsigned kind, uint64_t handle)
{
	uint64_t object = rec_signal_object(kind, handle);
	uint32_t first = rec_signal_place(handle), oldest = first;
	for (uint32_t i = 0; i < REC_SIGNALS_NEAR; i++) {
		uint32_t place = (first + i) % REC_SIGNALS_MOST;
		const struct rec_signal *entry = signal_at(place);
		if (atomic_load_explicit(&entry->object, memory_order_relaxed) == object)
			return place;
		if (atomic_load_explicit(&entry->at, memory_order_relaxed) <
		    atomic_load_explicit(&signal_at(oldest)->at, memory_order_relaxed))
			oldest = place;
	}
	return oldest;
}

/* Return: whether the entry is the caller's to write, with its number before. */
static bool write_begin(struct rec_signal *entry, uint32_t *ret_changes)
{
	uint32_t changes = atomic_load_explicit(&entry->changes, memory_order_relaxed);
	*ret_changes = changes;
	if (changes % 2 ||
	    !atomic_compare_exchange_strong_explicit(&entry->changes, &changes, changes + 1,
						     memory_order_acquire, memory_order_relaxed))
		return false;
	atomic_thread_fence(memory_order_release);
	return true;
}

static void write_end(struct rec_signal *entry, uint32_t changes)
{
	atomic_store_explicit(&entry->changes, changes + 2, memory_order_release);
}

bool signalled_wanted(void)
{
	return recording && atomic_load_explicit(&recording->threads_started, memory_order_relaxed) > 1;
}

/* The places that this thread has written last, from 1; for its end. */
static void remember(uint32_t place)
{
	uint16_t mark = (uint16_t)(place + 1);
	if (LIKELY(self.signalled[0] == mark))
		return;
	for (unsigned i = COUNT_OF(self.signalled) - 1; i > 0; i--)
		self.signalled[i] = self.signalled[i - 1];
	self.signalled[0] = mark;
}

void signalled_note(enum kind kind, uint64_t handle, enum op op, stack_id stack)
{
	const struct rec_thread *slot = thread_slot();
	struct rec_table *table = &recording->tables[REC_SIGNALS];
	uint32_t changes;
	if (UNLIKELY(!slot || !handle))
		return;
	if (UNLIKELY(!atomic_load_explicit(&table->used, memory_order_acquire))) {
		if (!recording_reserve(REC_SIGNALS, table->capacity))
			return;
		atomic_store_explicit(&table->used, table->capacity, memory_order_release);
	}
	uint32_t place = place_of(kind, handle);
	struct rec_signal *entry = signal_at(place);
	if (!write_begin(entry, &changes))
		return;
	uint64_t object = rec_signal_object(kind, handle);
	bool known = atomic_load_explicit(&entry->object, memory_order_relaxed) == object;
	if (!known || entry->thread != slot->id) {
		entry->thread = slot->id;
		memcpy(entry->name, slot->name, sizeof entry->name);
	}
	atomic_store_explicit(&entry->object, object, memory_order_relaxed);
	atomic_store_explicit(&entry->at, clock_tick(), memory_order_relaxed);
	entry->count = known ? entry->count + 1 : 1;
	entry->op = (uint16_t)op;
	entry->stack = stack;
	entry->era = atomic_load_explicit(&recording->era, memory_order_relaxed);
	entry->ended = 0;
	write_end(entry, changes);
	remember(place);
}

void signalled_forget(uint64_t handle)
{
	uint32_t changes;
	if (!recording || !atomic_load_explicit(&recording->tables[REC_SIGNALS].used, memory_order_acquire))
		return;
	uint32_t first = rec_signal_place(handle);
	for (uint32_t i = 0; i < REC_SIGNALS_NEAR; i++) {
		struct rec_signal *entry = signal_at((first + i) % REC_SIGNALS_MOST);
		if (atomic_load_explicit(&entry->object, memory_order_relaxed) >> 8 != handle ||
		    !write_begin(entry, &changes))
			continue;
		atomic_store_explicit(&entry->object, 0, memory_order_relaxed);
		atomic_store_explicit(&entry->at, 0, memory_order_relaxed);
		write_end(entry, changes);
	}
}

void signalled_thread_end(void)
{
	const struct rec_thread *slot = self.slot;
	bool any = slot && recording &&
		   atomic_load_explicit(&recording->tables[REC_SIGNALS].used, memory_order_acquire);
	for (unsigned i = 0; any && i < COUNT_OF(self.signalled) && self.signalled[i]; i++) {
		struct rec_signal *entry = signal_at(self.signalled[i] - 1u);
		uint32_t changes;
		if (!write_begin(entry, &changes))
			continue;
		if (entry->thread == slot->id)
			entry->ended = sys_monotonic();
		write_end(entry, changes);
	}
	memset(self.signalled, 0, sizeof self.signalled);
}
