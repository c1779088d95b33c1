/* The hooks of blocking.def: one body for all of them. */
#include "hooks/hook.h"

/* Of poll: whether it is but one descriptor. Which one is the kernel's to read first, and may be looked up later. */
#define POLLED(count) (WAIT_SEVERAL | ((count) == 1 ? WAIT_FOR_ONE : 0))

#define BLOCKING(type, name, params, args, op_, kind_, handle_, timed_, waits) \
	EXPORT type name params \
	{ \
		HOOK(hook, BLOCKING); \
		struct hook_kept kept CLEANUP(hook_kept_end); \
		if (hook.track && (waits)) { \
			hook_keep(&hook, &kept); \
			struct wait_for what = { .kind = KIND_##kind_, \
						 .op = OP_##op_, \
						 .timed = (timed_), \
						 .handle = (uint64_t)(handle_) }; \
			hook_wait_for(&hook, &what); \
		} \
		return real.name args; \
	}
#include "hooks/blocking.def"
