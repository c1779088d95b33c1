/* Segments of System V shared memory: mappings whose size the kernel knows. Also by the numbers of the system calls. */
#include "hooks/shared_memory.h"

#include <sys/shm.h>

#include "hooks/mapping.h"
#include "platform/sys.h"
#include "registry/mapping.h"
#include "registry/order.h"

static uint64_t bytes_of(int segment)
{
	struct shmid_ds known = { .shm_segsz = 0 };
	if (sys_sandboxed || sys_call3(SYS_shmctl, segment, IPC_STAT, &known) != 0)
		return 0;
	return known.shm_segsz;
}

/* How long it is only the kernel knows, and when it went nobody has asked: the places of locks that were there before end now. */
static void note_attached(struct hook *hook, int segment, const void *wanted, uint64_t start)
{
	int error = errno;
	bool ordered = hook_track(HOOK_LOCK);
	uint64_t bytes = hook->track || ordered ? bytes_of(segment) : 0;
	if (bytes && ordered)
		order_forget_range(start, start + bytes);
	if (bytes && hook->track)
		mapping_made(hook, start, bytes, OP_shmat, wanted ? HOLD_PLACED : 0);
	errno = error;
}

static void detach_begin(const struct hook *hook, struct mapping_ending *ending, uint64_t start)
{
	struct rec_hold hold;
	*ending = (struct mapping_ending){ 0 };
	if (hook->track && mapping_find(start, &hold))
		mapping_end_begin(ending, hold.handle, hold.bytes);
}

EXPORT void *shmat(int segment, const void *wanted, int flags)
{
	HOOK(hook, MAPPING);
	void *start = real.shmat(segment, wanted, flags);
	if (start != MAP_FAILED)
		note_attached(&hook, segment, wanted, (uintptr_t)start);
	return start;
}

EXPORT int shmdt(const void *start)
{
	HOOK(hook, MAPPING);
	struct mapping_ending ending;
	detach_begin(&hook, &ending, (uintptr_t)start);
	int result = real.shmdt(start);
	if (result == 0)
		mapping_end_done(&ending, 0);
	return result;
}

long shared_memory_syscall_attach(long number, long segment, long wanted, long flags)
{
	HOOK(hook, MAPPING);
	long start = real.syscall(number, segment, wanted, flags);
	if (start != -1)
		note_attached(&hook, (int)segment, (const void *)wanted, (uint64_t)start);
	return start;
}

long shared_memory_syscall_detach(long number, long start)
{
	HOOK(hook, MAPPING);
	struct mapping_ending ending;
	detach_begin(&hook, &ending, (uint64_t)start);
	long result = real.syscall(number, start);
	if (result == 0)
		mapping_end_done(&ending, 0);
	return result;
}
