/*
 * What is told of mappings, where the option `mappings` asks for it: registry/mapping.h has them.
 *
 * All functions: Context: hook. Keep errno.
 */
#ifndef WH_HOOKS_MAPPING_H
#define WH_HOOKS_MAPPING_H

#include "hooks/hook.h"

/* Whether mappings are recorded. A load; false until the shim has started. */
static inline bool mapping_followed(void)
{
	return UNLIKELY(__atomic_load_n(&hook_groups, __ATOMIC_ACQUIRE) & HOOK_MAPPING);
}

/* The calling thread has just got [start, start + bytes), to whole pages, from `op`. What allocators map is theirs, and left out. */
void mapping_made(struct hook *hook, uint64_t start, uint64_t bytes, enum op op, uint32_t flags);

/*
 * What is to be ended: begun before the real call, done once the kernel has said yes. Not begun: nothing is done. `flags`: for what
 * is left around it (enum hold_flag).
 */
struct mapping_ending {
	uint64_t start, bytes, before;
};

void mapping_end_begin(struct mapping_ending *ending, uint64_t start, uint64_t bytes);
void mapping_end_done(const struct mapping_ending *ending, uint32_t flags);

/* Of SYS_munmap, with the arguments of syscall(). Return: as it; errno is set. */
long mapping_syscall_unmap(long number, long start, long bytes);

#endif
