#include "reporter/scan/asleep.h"

#include <sys/uio.h>
#include <sys/user.h>

#include "base/context.h"
#include "platform/sys.h"
#include "registry/recording.h"
#include "reporter/scan/task.h"

/*
 * Between a hook's frame and the stack pointer in the call. The kernel's frame of a signal and the red zone above it take more
 * than this: what sleeps further below may be a handler, which has registers of its own.
 */
#define NEAR ((uint64_t)1024)

/* What a thread that is stopped in a call has for a result: the call is to begin again. */
#define RESTARTS ((uint64_t)-512)

/* The thread's slot; NULL: it has none. The kernel lists threads in about the order of their slots. */
static const struct rec_thread *slot_of(uint32_t *at, int32_t tid)
{
	const struct view *view = recording_view();
	const struct rec_thread *slot;
	for (unsigned round = 0; round < 2; round++) {
		for (uint32_t i = round ? 0 : *at; (slot = view_thread(view, i)); i++)
			if (__atomic_load_n((const int32_t *)&slot->tid, __ATOMIC_RELAXED) == tid &&
			    __atomic_load_n((const uint32_t *)&slot->state, __ATOMIC_RELAXED) ==
				THREAD_RUNNING) {
				*at = i;
				return slot;
			}
	}
	return NULL;
}

/* Whether the hook's frame is still there, and was not left by a jump: its return address. */
static bool is_entered(const struct view *view, const struct rec_wait *wait)
{
	const struct rec_stack *stack = view_stack(view, wait->stack);
	uint64_t back = 0;
	struct iovec to = { &back, sizeof back };
	struct iovec from = { (void *)(wait->sp + sizeof back), sizeof back };
	if (!stack || !stack->count)
		return false;
	long got = sys_call6(SYS_process_vm_readv, sys_pid(), (long)&to, 1, (long)&from, 1, 0);
	return got == (long)sizeof back && back == stack->frames[0];
}

/* The innermost wait of a thread, if that has kept the registers; NULL: it has not, or that can't be told. */
static const struct rec_wait *kept_wait(const struct rec_thread *slot)
{
	uint32_t depth = slot->wait_depth;
	if (atomic_load_explicit(&slot->changes, memory_order_relaxed) % 2 || !depth ||
	    depth > REC_SLOT_WAITS || !slot->waits[depth - 1].kept)
		return NULL;
	return &slot->waits[depth - 1];
}

bool asleep_known(struct stop *stop, struct stop_thread *thread, uint64_t *ret_words)
{
	struct task_call call;
	const struct rec_thread *slot = slot_of(&stop->slot, thread->tid);
	const struct rec_wait *wait = slot ? kept_wait(slot) : NULL;
	if (!wait || !slot->tls || !task_call(stop->tasks_fd, thread->tid, &call) || call.sp >= wait->sp ||
	    wait->sp - call.sp >= NEAR || !is_entered(recording_view(), wait))
		return false;
	struct user_regs_struct *registers = (struct user_regs_struct *)ret_words;
	*registers = (struct user_regs_struct){
		.orig_rax = call.number,
		.rax = RESTARTS,
		.rdi = call.arguments[0],
		.rsi = call.arguments[1],
		.rdx = call.arguments[2],
		.r10 = call.arguments[3],
		.r8 = call.arguments[4],
		.r9 = call.arguments[5],
		.rsp = call.sp,
		.rip = call.pc,
		.fs_base = slot->tls,
	};
	thread->words = sizeof *registers / 8;
	/* What the hook and libc have of their arguments may be in registers that they use. */
	ret_words[thread->words++] = wait->handle;
	ret_words[thread->words++] = wait->handle2;
	thread->sp = call.sp;
	thread->pointer = slot->tls;
	return true;
}
