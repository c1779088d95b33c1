/*
 * Call stacks: captured on a hook path, kept once each in the recording, known
 * by a small number.
 *
 * Capture starts at the caller of the interposed function, whose own frame is
 * given (__builtin_frame_address(0) in the function itself: the library is built
 * with frame pointers, so the caller's pc, sp and frame pointer are known exactly
 * and no frame of ours is ever unwound or shown).
 *
 *   stack/unwind.h        capture frames: by rules, or with all registers
 *   stack/cfi.h rules.h   rules by return address out of .eh_frame
 *   stack/unwind_libunwind.c  the reference that tests and the option verify_stacks compare with
 *   stack/verify.h        comparing
 *   stack/depot.h         frames to stack_id, lock-free, append-only, in REC_STACKS
 *   stack/modules.h       which ELF files are mapped: REC_MODULES, found lock-free
 *   stack/remote.h        the stack of another, blocked thread of this process
 */
#ifndef WH_STACK_STACK_H
#define WH_STACK_STACK_H

#include "base/context.h"
#include "base/types.h"

#define STACK_MAX_FRAMES 256u /* the limit of the option `depth` */

/*
 * The caller's stack as an id. `frame` is __builtin_frame_address(0) of the interposed function.
 * Return: 0 where nothing could be captured or stored (counted in the recording).
 *
 * Context: hook (reentrant by signals: a nested call captures on its own). Keeps errno.
 * Uses at most 512 bytes of stack: scratch space is the thread's own (see stack_scratch).
 */
stack_id stack_capture(const void *frame);

/* Frames that a stack keeps at the most, from the option `depth`. Context: init. */
void stack_set_depth(unsigned frames);

/*
 * Modules may have changed (dlopen, dlclose): look again. After an unload the epoch of the
 * recording goes up and no rule of the unloaded module is used any more.
 * Context: hook, outside of the loader's lock.
 */
void stack_modules_changed(bool unloaded);

/*
 * Around a call of dlclose, with stack_modules_changed in between: from the moment on that a module has gone another
 * may lie in its place, before anybody was told. Meanwhile no thread uses rules, or a last stack, from before.
 * Context: hook.
 */
void stack_unload_begin(void);
void stack_unload_end(void);

/*
 * The calling thread is about to call dlopen, which returns to a frame with the stack pointer `caller_sp`: the first
 * capture further out than that looks for new modules. 0: nothing is to be looked for any more.
 * Context: hook.
 */
void stack_modules_opening(uint64_t caller_sp);

/* Whether the loader's lock may be taken: this thread holds nothing that it did not hold at that call. Context: hook. */
bool stack_modules_lockable(void);

/*
 * Modules may have gone without a call that anybody saw (libc unloads some by itself): looks again
 * without the loader's lock. Cheap; for every tick. Context: reporter.
 */
void stack_modules_check(void);

/* The calling thread ends: gives its scratch space back. A later capture takes a new one. Context: hook. */
void stack_thread_end(void);

/* A fork child starts afresh: its recording is empty, so nothing that was interned is valid. Context: hook. */
void stack_fork_child(void);

/*
 * The stack of another thread of this process that is blocked in the kernel, from
 * /proc/self/task/TID/syscall and its memory, read without stopping or signalling it.
 * Return: 0 and *ret_stack; -EAGAIN: it is running (or moved meanwhile); -EACCES, -ESRCH, ...
 *
 * Context: reporter.
 */
int stack_of_thread(int32_t tid, stack_id *ret_stack);

/*
 * Loads libunwind, so that stacks can be compared with its, and from now on compares one in `every` captures
 * (0: those of stack_verify alone). For developers, see stack/verify.h.
 * Return: 0, or -ENOENT: libunwind.so.8 is not installed. Context: init.
 */
int stack_verify_init(uint32_t every);

/*
 * Captures as stack_capture does and once more with libunwind, and compares frame by frame. Return: the id.
 * *ret_same: false where the two differ before ours says that it was lost. Context: hook.
 */
stack_id stack_verify(const void *frame, bool *ret_same);

#endif
