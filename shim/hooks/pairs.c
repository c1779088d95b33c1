/* The hooks of pairs.def, and freopen, which is a release and an acquisition of the same handle. */
#include "hooks/hook.h"
#include "hooks/thread_count.h"
#include "registry/release.h"

static void pair_released(struct hook *hook, enum kind kind, uint64_t handle, enum op op)
{
	struct resource what = { .kind = kind, .op = op, .stack = hook_stack(hook), .handle = handle };
	release_begin(&what);
}

#define ACQUIRE(type, name, params, args, op, kind, label) \
	EXPORT type name params \
	{ \
		HOOK_HOT(hook, PAIR); \
		thread_count_opened(label); \
		type result = real.name args; \
		thread_count_listed(result, label); \
		if (hook.track && result) { \
			resource_begin(KIND_##kind, (uintptr_t)result, OP_##op, hook_stack(&hook), 0, \
				       label); \
		} \
		return result; \
	}

#define RELEASE(type, name, params, args, kind, handle, waits) \
	EXPORT type name params \
	{ \
		HOOK_HOT(hook, PAIR); \
		thread_count_closed(handle); \
		if (hook.track) { \
			pair_released(&hook, KIND_##kind, (uintptr_t)(handle), OP_##name); \
			if (KIND_##waits != KIND_NONE) \
				hook_wait(&hook, KIND_##waits, 0, MODE_NONE, OP_##name); \
		} \
		return real.name args; \
	}
#include "hooks/pairs.def"

/*
 * Where it fails, the stream is closed all the same. A stream that was none of
 * ours before (stdin, stdout, stderr) is not one to be closed afterwards either.
 */
static FILE *stream_reopened(struct hook *hook, bool known, FILE *result, const char *path)
{
	if (known && result)
		resource_begin(KIND_STREAM, (uintptr_t)result, OP_freopen, hook_stack(hook), 0, path);
	return result;
}

EXPORT FILE *freopen(const char *path, const char *mode, FILE *stream)
{
	HOOK_HOT(hook, PAIR);
	bool known = hook.track && resource_end(KIND_STREAM, (uintptr_t)stream);
	return stream_reopened(&hook, known, real.freopen(path, mode, stream), path);
}

EXPORT FILE *freopen64(const char *path, const char *mode, FILE *stream)
{
	HOOK_HOT(hook, PAIR);
	bool known = hook.track && resource_end(KIND_STREAM, (uintptr_t)stream);
	return stream_reopened(&hook, known, real.freopen64(path, mode, stream), path);
}
