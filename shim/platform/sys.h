/*
 * System calls without libc: no errno, no cancellation point, no interposed name,
 * so they are good on the reporter thread (which has no libc thread behind it)
 * and in the middle of a hook. Results are the kernel's: a value, or -errno.
 *
 * Context: signal, all of them.
 */
#ifndef WH_PLATFORM_SYS_H
#define WH_PLATFORM_SYS_H

#include <sys/syscall.h>

#include "base/context.h"
#include "base/types.h"

#if defined(__x86_64__)
static inline long sys_call6(long number, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long result;
	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}
#else
#error "whoholds runs on x86-64"
#endif

#define sys_call0(n) sys_call6(n, 0, 0, 0, 0, 0, 0)
#define sys_call1(n, a) sys_call6(n, (long)(a), 0, 0, 0, 0, 0)
#define sys_call2(n, a, b) sys_call6(n, (long)(a), (long)(b), 0, 0, 0, 0)
#define sys_call3(n, a, b, c) sys_call6(n, (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define sys_call4(n, a, b, c, d) sys_call6(n, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)
#define sys_call5(n, a, b, c, d, e) sys_call6(n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), 0)

/*
 * Set once the program has put a filter on its system calls (seccomp): from then on one that it does
 * not make itself may be its death. Whoever would make such a call asks here first; these do:
 * sys_open and sys_readlink (-EPERM), sys_pages (NULL), sys_tid (0), sys_sleep, sys_futex_wake (nothing).
 */
extern HIDDEN bool sys_sandboxed;

int sys_open(const char *path, int flags, int mode);
int sys_close(int fd);
long sys_read(int fd, void *buffer, size_t bytes);
/* Writes all of it, going on after short writes and EINTR. Return: 0 or -errno. */
int sys_write_all(int fd, const void *bytes, size_t count);
int sys_unlink(const char *path);
long sys_readlink(const char *path, char *buffer, size_t bytes);

/* Anonymous private pages, zeroed; NULL where there are none. */
void *sys_pages(size_t bytes);
/* The same as address space that takes memory as it is touched (no overcommit accounting). */
void *sys_pages_lazy(size_t bytes);
/* Gives a whole mapping back. */
void sys_pages_free(void *pages, size_t bytes);
/* For who unmaps them itself, right after this, because it stands on them. */
void sys_pages_disown(void *pages);
/* The process has all memory to come locked (mlockall): what is mapped from now on is not to be brought in for that. */
void sys_pages_are_locked(void);
/* Every mapping that the two above made and that is still there: not the program's memory, whatever it points at. */
void sys_pages_each(bool (*each)(uint64_t start, uint64_t end, void *data), void *data);

/*
 * By how much address space that is only reserved should be cut down, a power of two: 1 where the
 * process has no limit on it (ulimit -v), more the tighter the limit, which is the program's to use up.
 */
unsigned sys_address_thrift(void);

/* Of the machine, bytes; 0: the kernel does not say. */
uint64_t sys_memory_total(void);

int32_t sys_pid(void);
int32_t sys_tid(void);
int sys_kill_thread(int32_t pid, int32_t tid, int signal);

/*
 * The program has forbidden one of its threads to read the time stamp counter (PR_SET_TSC), which the vdso's clocks do: it would end in
 * SIGSEGV. From then on the kernel is asked, in every thread and for good.
 */
extern HIDDEN bool sys_no_tsc;

nsec_t sys_monotonic(void);        /* CLOCK_MONOTONIC; through the vdso, not a system call */
nsec_t sys_monotonic_coarse(void); /* a few ms behind at the most, and cheaper */
nsec_t sys_realtime(void);
void sys_sleep(nsec_t ns);

/* Waits while *word is `value`, `timeout` at the most (0: for ever). Return: 0, -ETIMEDOUT, -EAGAIN, -EINTR. */
int sys_futex_wait(const uint32_t *word, uint32_t value, nsec_t timeout);
void sys_futex_wake(const uint32_t *word, int count);

/*
 * Reads a small file whole (up to `bytes` - 1, NUL-terminated), in as many reads as it takes.
 * Return: its length, or -errno.
 */
long sys_read_file(const char *path, char *buffer, size_t bytes);

#endif
