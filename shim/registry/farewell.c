#include "registry/farewell.h"

#include <string.h>

#include "platform/lock.h"
#include "platform/sys.h"
#include "registry/recording.h"

#define KEPT 512u /* chosen somewhat arbitrarily: programs that do it twice mostly do so soon */

static struct lock lock;
static struct farewell kept[KEPT]; /* a ring */
static uint32_t said;

void farewell_say(const struct thread_brief *thread, enum op op, stack_id stack)
{
	const struct rec_thread *slot = thread_slot();
	self.busy++;
	struct farewell farewell = {
		.thread = *thread,
		.at = sys_monotonic_coarse(),
		.stack = stack,
		.by = slot ? slot->id : 0,
		.by_name = slot ? recording_text(slot->name) : 0,
		.op = op,
	};
	if (lock_take(&lock)) {
		kept[said++ % KEPT] = farewell;
		lock_release(&lock);
	}
	self.busy--;
}

bool farewell_find(uint64_t pthread, struct farewell *ret_farewell)
{
	bool found = false;
	self.busy++;
	if (lock_take(&lock)) {
		for (uint32_t i = 0; i < MIN_OF(said, KEPT) && !found; i++) {
			const struct farewell *farewell = &kept[(said - 1 - i) % KEPT];
			found = farewell->thread.pthread == pthread;
			if (found)
				*ret_farewell = *farewell;
		}
		lock_release(&lock);
	}
	self.busy--;
	return found;
}

void farewell_fork_child(void)
{
	said = 0;
	lock.word = 0;
}
