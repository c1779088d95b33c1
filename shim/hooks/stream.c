/*
 * The lock of a stream, where the program takes it itself: flockfile and its kin. What printf
 * and the like do with it inside of libc no hook sees; who waits for it there, and for whom, is read
 * out of libc's own words (reporter/probe.c). That is why the object is the lock and not the stream.
 *
 * Recursive: a thread that has it gets it again.
 */
#include "hooks/hook.h"

#include <stdio.h>

#include "registry/object.h"

static uint64_t stream_lock(const FILE *stream)
{
	return (uintptr_t)stream->_lock;
}

/* What a person calls it. Once for each of the three: a name is kept in the recording. */
static void stream_name(const FILE *stream)
{
	static uint32_t named;
	const FILE *const streams[] = { stdin, stdout, stderr };
	static const char *const names[] = { "stdin", "stdout", "stderr" };

	for (unsigned i = 0; i < COUNT_OF(streams); i++)
		if (stream == streams[i] && !(__atomic_fetch_or(&named, 1u << i, __ATOMIC_RELAXED) & 1u << i))
			object_named(stream_lock(stream), names[i]);
}

EXPORT void flockfile(FILE *stream)
{
	HOOK(hook, LOCK);
	if (!hook.track) {
		real.flockfile(stream);
		return;
	}
	stream_name(stream);
	hook_lock(&hook, KIND_STREAM_LOCK, stream_lock(stream), MODE_EXCLUSIVE, OP_flockfile);
	real.flockfile(stream);
	hook_locked(&hook, KIND_STREAM_LOCK, stream_lock(stream), MODE_EXCLUSIVE, OP_flockfile);
}

EXPORT int ftrylockfile(FILE *stream)
{
	HOOK(hook, LOCK);
	int result = real.ftrylockfile(stream);
	if (hook.track && result == 0) {
		stream_name(stream);
		hold_begin(KIND_STREAM_LOCK, stream_lock(stream), MODE_EXCLUSIVE, OP_ftrylockfile,
			   hook_stack(&hook));
	}
	return result;
}

/* What another thread has taken is not ours to end: libc counts down whoever calls. */
EXPORT void funlockfile(FILE *stream)
{
	HOOK(hook, LOCK);
	if (hook.track && hold_own(KIND_STREAM_LOCK, stream_lock(stream)))
		hold_end(KIND_STREAM_LOCK, stream_lock(stream), NULL);
	real.funlockfile(stream);
}
