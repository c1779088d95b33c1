#include "hooks/thread_misuse.h"

#include <errno.h>

#include "platform/thread_self.h"
#include "registry/farewell.h"
#include "registry/misuse.h"
#include "registry/recording.h"
#include "stack/memory.h"

static bool is_join(enum op op)
{
	return op != OP_pthread_detach && op != OP_thrd_detach && op != OP_none;
}

static void note(struct hook *hook, const struct thread_call *call, const struct thread_brief *thread,
		 const struct farewell *first, enum misuse_thread how)
{
	struct rec_misuse what = {
		.kind = MISUSE_released_twice,
		.object_kind = KIND_THREAD,
		.handle = call->pthread,
		.flags = (uint16_t)how,
		.parts[0] = misuse_now(hook_stack(hook), call->op),
		.parts[2] = { .at = thread->started,
			      .stack = thread->created_stack,
			      .thread = thread->id,
			      .thread_name = recording_text(thread->name) },
	};
	if (first && first->op != OP_none)
		what.parts[1] = (struct rec_misuse_part){
			.at = first->at,
			.stack = first->stack,
			.thread = first->by,
			.thread_name = first->by_name,
			.op = (uint16_t)first->op,
		};
	misuse_note(&what);
}

/* Of a thread that is not there any more. Return: whether it is certain that it was joined or detached before. */
static bool is_gone(const struct thread_call *call, struct farewell *ret_first)
{
	/* A thread that there was no slot for, or that is just being made, may have the name now. */
	return !call->known && farewell_find(call->pthread, ret_first) && !thread_unnamed();
}

void thread_call_begin(struct hook *hook, struct thread_call *ret_call, uint64_t pthread, enum op op)
{
	struct farewell first;
	thread_slot(); /* a thread that nobody has seen yet may be about to detach itself */
	*ret_call = (struct thread_call){ .pthread = pthread, .op = op };
	ret_call->known = thread_brief(pthread, &ret_call->thread);
	/* Once libc has given the memory of the thread back to the kernel, the call ends the process. */
	if (UNLIKELY(is_gone(ret_call, &first)) && !memory_readable(pthread))
		note(hook, ret_call, &first.thread, &first, MISUSE_THREAD_AGAIN);
}

void thread_call_end(struct hook *hook, const struct thread_call *call, int result)
{
	struct farewell first;
	if (LIKELY(result == 0)) {
		/* It may have got its name since. */
		struct thread_brief now;
		bool is_there = thread_brief(call->pthread, &now) && now.id == call->thread.id;
		if (call->known)
			farewell_say(is_there ? &now : &call->thread, call->op, hook_stack(hook));
		return;
	}
	if (result != EINVAL && result != ESRCH && result != EDEADLK)
		return;
	if (is_join(call->op) && call->known && call->pthread == thread_self_handle()) {
		note(hook, call, &call->thread, NULL, MISUSE_THREAD_ITSELF);
	} else if (call->known && (call->thread.flags & THREAD_DETACHED)) {
		bool found = farewell_find(call->pthread, &first) && first.thread.id == call->thread.id;
		note(hook, call, &call->thread, found ? &first : NULL, MISUSE_THREAD_AGAIN);
	} else if (is_gone(call, &first) && (result == ESRCH || !is_join(first.op))) {
		note(hook, call, &first.thread, &first, MISUSE_THREAD_AGAIN);
	} else if (call->known && is_join(call->op) && result == EINVAL &&
		   !(call->thread.flags & THREAD_FOREIGN)) {
		note(hook, call, &call->thread, NULL, MISUSE_THREAD_AT_ONCE);
	}
}
