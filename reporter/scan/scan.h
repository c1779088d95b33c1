/*
 * The leak scan: what can the program not get at any more? It runs inside of the
 * target, at its end, on the thread that ends it, while everything else stands still.
 *
 *   stop      the other threads, and their registers
 *   image     mappings, live blocks, the allocator's memory
 *   roots     where pointers can be without following one
 *   mark      what they lead to
 *   resources what was opened and never released
 *   group     the rest, by the stack that allocated it
 *
 * Findings: leak, iterator-leak; possible-leak where the registers of other threads could not be
 * read (then a copy of the process is looked at, since nothing stands still), of more blocks than these may hold.
 *
 * It never fails the program: what it can't have (memory, /proc, ptrace, time) it does without, says so in
 * the recording (enum rec_degraded), and reports nothing that it could not judge.
 *
 * Context: hook at the end of the process; takes its time (SCAN_LIMIT at the most).
 */
#ifndef WH_REPORTER_SCAN_SCAN_H
#define WH_REPORTER_SCAN_SCAN_H

#include "base/context.h"
#include "reporter/finding.h"

#define SCAN_LIMIT (10 * NSEC_PER_SEC)

/* The thread that ends the process, at the point where it left the program's own code. */
struct scan_caller {
	uint64_t sp;           /* the program's frames lie here and above */
	uint64_t pointer;      /* thread pointer */
	uint64_t registers[6]; /* those that a function must keep for its caller */
	uint64_t
	    exit; /* libc's function that runs what is to be run at the end; 0: it was not come by that way */
};

/*
 * To be called first in the function that the program called (a hook, our destructor), with its
 * __builtin_frame_address(0): what that function has saved of its caller's registers lies just
 * below that address, and what it has not yet used is still in place.
 */
static inline __attribute__((always_inline)) void scan_caller_here(struct scan_caller *caller,
								   const void *frame)
{
	__asm__ volatile("mov %%rbx, 0(%1)\n\t"
			 "mov %%rbp, 8(%1)\n\t"
			 "mov %%r12, 16(%1)\n\t"
			 "mov %%r13, 24(%1)\n\t"
			 "mov %%r14, 32(%1)\n\t"
			 "mov %%r15, 40(%1)\n\t"
			 "mov %%fs:0, %%rax\n\t"
			 "mov %%rax, %0"
			 : "=m"(caller->pointer)
			 : "r"(caller->registers)
			 : "rax", "memory");
	caller->sp = (uint64_t)frame - 5 * sizeof(uint64_t);
}

/*
 * Adds findings to `list`. The reporter thread is paused (start.h). `snapshot` was taken since.
 */
void scan_at_end(const struct snapshot *snapshot, const struct scan_caller *caller,
		 struct finding_list *list);

/*
 * Bytes in blocks that were made in `era` or later and that nothing leads to; 0 where that can't be judged. The
 * reporter thread is paused. Context: hook; takes its time.
 */
size_t scan_lost_since(const struct scan_caller *caller, uint32_t era);

#endif
