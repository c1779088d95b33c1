/*
 * A guest thread: one that libc knows nothing of. It is cloned into the process
 * with a stack and a blank thread-local area of its own, so that libc's count of
 * threads, its single-thread short cuts and the end of the process are as they
 * would be without it. It must use raw system calls and mem/str functions only. Its table of descriptors
 * is its own, and empty at its start (platform/files.h).
 */
#ifndef WH_PLATFORM_GUEST_H
#define WH_PLATFORM_GUEST_H

#include "base/types.h"

struct guest {
	void *stack; /* mapping: guard page, stack, thread-local area */
	size_t bytes;
	uint32_t tid;        /* 0 as soon as it is ending: the kernel clears it and wakes waiters */
	int32_t task;        /* the same, and kept */
	uint32_t parted;     /* its descriptors are its own by now; a futex word */
	unsigned long flags; /* that decide about descriptors */
	void (*run)(void *data);
	void *data;
};

/*
 * Starts `run(data)` on a new guest with all signals blocked. `farthest` is the address of any
 * thread-local variable of ours on the calling thread: the blank area is made large enough that
 * it exists there too. It comes back when the guest has parted from the caller's descriptors: in a process
 * of one thread nothing can be closed while that goes on. Return: 0 or -errno.
 *
 * Context: hook.
 */
int guest_start(struct guest *guest, void (*run)(void *data), void *data, const void *farthest);

/*
 * The kernel's clone, whose child begins with run(data) on the stack that ends at `stack`, and then ends
 * alone. `tid` is for CLONE_PARENT_SETTID and CLONE_CHILD_CLEARTID, `tls` for CLONE_SETTLS. Return: the kernel's.
 *
 * Context: signal.
 */
long guest_clone(unsigned long flags, void *stack, uint32_t *tid, void *tls, void (*run)(void *), void *data);

/* Waits until it has ended, and gives its memory back. Context: hook. */
void guest_join(struct guest *guest);

/*
 * Runs `run(data)` on a stack of its own of `bytes` bytes (the caller's may be 16 KiB, or a signal
 * stack). `data` and everything on the caller's stack stay valid. Return: false where there was no
 * memory for it, and nothing was run. Context: hook.
 */
bool guest_call(void (*run)(void *data), void *data, size_t bytes);

/*
 * Runs a program, unseen by the program's own wait() and its handler of SIGCHLD: as a grandchild, below a child
 * that has no exit signal. Descriptors 1 and 2 of it are `out_fd` (-1: /dev/null), 0 is the
 * caller's or /dev/null; it gets no others. Return: the pid of that child, for guest_reap (it ends as the program does, or with
 * 255 where that was killed), or -errno where it could not be started.
 *
 * Context: reporter, or hook at the end of a process.
 */
int32_t guest_spawn(const char *path, char *const argv[], char *const envp[], int out_fd);

/*
 * A copy of this process, made without libc's or the program's fork handlers, that runs
 * `run(data)` and ends with its result. Of whom is the caller: itself, or with `as_sibling` the caller's parent.
 * Return: its pid, or -errno. Reap it with guest_reap.
 */
int32_t guest_fork(int (*run)(void *data), void *data, bool as_sibling);

/*
 * Waits for a child of either sort, which is killed after `timeout` ns (0: never). Return: the wait status, or -errno;
 * -EINPROGRESS: *leave is not 0 (NULL: nobody asks), and it goes on and is to be reaped another time.
 */
int guest_reap(int32_t pid, nsec_t timeout, const uint32_t *leave);

/*
 * In a child with handlers of its own (without CLONE_SIGHAND) that will have children: what the program made of SIGCHLD
 * is undone there, since with SIG_IGN nobody could wait for them. Context: reporter.
 */
void guest_expect_children(void);

#endif
