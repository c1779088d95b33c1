/* Segments of System V shared memory: mappings whose size the kernel knows. */
#include "hooks/hook.h"

#include <sys/shm.h>

#include "hooks/mapping.h"
#include "platform/sys.h"
#include "registry/mapping.h"

static uint64_t bytes_of(int segment)
{
	struct shmid_ds known = { .shm_segsz = 0 };
	if (sys_sandboxed || sys_call3(SYS_shmctl, segment, IPC_STAT, &known) != 0)
		return 0;
	return known.shm_segsz;
}

EXPORT void *shmat(int segment, const void *wanted, int flags)
{
	HOOK(hook, MAPPING);
	void *start = real.shmat(segment, wanted, flags);
	uint64_t bytes = hook.track && start != MAP_FAILED ? bytes_of(segment) : 0;
	if (bytes)
		mapping_made(&hook, (uintptr_t)start, bytes, OP_shmat, wanted ? HOLD_PLACED : 0);
	return start;
}

EXPORT int shmdt(const void *start)
{
	HOOK(hook, MAPPING);
	struct rec_hold hold;
	struct mapping_ending ending = { 0 };
	if (hook.track && mapping_find((uintptr_t)start, &hold))
		mapping_end_begin(&ending, hold.handle, hold.bytes);
	int result = real.shmdt(start);
	if (result == 0)
		mapping_end_done(&ending, 0);
	return result;
}
