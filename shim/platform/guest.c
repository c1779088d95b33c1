#include "platform/guest.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/context.h"
#include "platform/files.h"
#include "platform/sys.h"

#define GUARD_BYTES ((size_t)4096)
#define STACK_BYTES ((size_t)256 * 1024)
#define TCB_BYTES ((size_t)8192)
/* libc's own thread-local variables lie beyond ours, seen from the thread pointer. */
#define TLS_SLACK_BYTES ((size_t)64 * 1024)

__asm__(".text\n"
	".hidden guest_clone\n"
	".globl guest_clone\n"
	".type guest_clone,@function\n"
	"guest_clone:\n"
	"	.cfi_startproc\n"
	"	sub $16, %rsi\n"
	"	mov %r8, (%rsi)\n"
	"	mov %r9, 8(%rsi)\n"
	"	mov %rdx, %r10\n"
	"	mov %rcx, %r8\n"
	"	mov $56, %eax\n"
	"	syscall\n"
	"	test %eax, %eax\n"
	"	jz 1f\n"
	"	ret\n"
	"1:	.cfi_undefined rip\n"
	"	xor %ebp, %ebp\n"
	"	pop %rax\n"
	"	pop %rdi\n"
	"	call *%rax\n"
	"	mov $60, %eax\n"
	"	xor %edi, %edi\n"
	"	syscall\n"
	"	hlt\n"
	"	.cfi_endproc\n"
	".size guest_clone, .-guest_clone\n");

void guest_switch(void *stack, void (*run)(void *), void *data);

/* Calls run(data) with `stack` as the stack pointer. The frame pointer leads back, for unwinders. */
__asm__(".text\n"
	".hidden guest_switch\n"
	".globl guest_switch\n"
	".type guest_switch,@function\n"
	"guest_switch:\n"
	"	.cfi_startproc\n"
	"	push %rbp\n"
	"	.cfi_def_cfa_offset 16\n"
	"	.cfi_offset rbp, -16\n"
	"	mov %rsp, %rbp\n"
	"	.cfi_def_cfa_register rbp\n"
	"	mov %rdi, %rsp\n"
	"	mov %rdx, %rdi\n"
	"	call *%rsi\n"
	"	mov %rbp, %rsp\n"
	"	pop %rbp\n"
	"	.cfi_def_cfa rsp, 8\n"
	"	ret\n"
	"	.cfi_endproc\n"
	".size guest_switch, .-guest_switch\n");

bool guest_call(void (*run)(void *data), void *data, size_t bytes)
{
	char *stack = sys_pages_lazy(bytes);
	if (!stack)
		return false;
	guest_switch(stack + bytes, run, data);
	sys_pages_free(stack, bytes);
	return true;
}

static inline uintptr_t thread_pointer(void)
{
	uintptr_t pointer;
	__asm__("mov %%fs:0, %0" : "=r"(pointer));
	return pointer;
}

/* Longer than it takes to copy a table of a million descriptors; past it the guest parts while the program goes on. */
#define PART_TIMEOUT (50 * NSEC_PER_MSEC)

static void guest_main(void *data)
{
	struct guest *guest = data;
	files_part(guest->flags);
	__atomic_store_n(&guest->parted, 1, __ATOMIC_RELEASE);
	sys_futex_wake(&guest->parted, 1);
	guest->run(guest->data);
}

static void wait_until_parted(const struct guest *guest)
{
	nsec_t from = sys_monotonic();
	while (!__atomic_load_n(&guest->parted, __ATOMIC_ACQUIRE) && sys_monotonic() - from < PART_TIMEOUT)
		sys_futex_wait(&guest->parted, 0, PART_TIMEOUT);
}

int guest_start(struct guest *guest, void (*run)(void *data), void *data, const void *farthest)
{
	uintptr_t host = thread_pointer();
	size_t distance = (uintptr_t)farthest < host ? host - (uintptr_t)farthest : 0;
	size_t tls_bytes = (distance + TLS_SLACK_BYTES + 4095) & ~(size_t)4095;
	guest->bytes = GUARD_BYTES + STACK_BYTES + tls_bytes + TCB_BYTES;
	char *memory = sys_pages_lazy(guest->bytes);
	if (!memory)
		return -ENOMEM;
	sys_call3(SYS_mprotect, memory, GUARD_BYTES, PROT_NONE);
	guest->stack = memory;

	/* The few words of a thread control block that compiled code reads: self, canary, pointer guard. */
	uint64_t *tcb = (uint64_t *)(memory + GUARD_BYTES + STACK_BYTES + tls_bytes);
	tcb[0] = tcb[2] = (uintptr_t)tcb;
	tcb[5] = ((uint64_t *)host)[5];
	tcb[6] = ((uint64_t *)host)[6];

	uint64_t all = ~UINT64_C(0), before;
	sys_call4(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before, sizeof all);
	guest->tid = 1;
	guest->parted = 0;
	guest->flags = files_clone_flags();
	guest->run = run;
	guest->data = data;
	long tid = guest_clone(CLONE_VM | CLONE_FS | guest->flags | CLONE_SIGHAND | CLONE_THREAD |
				   CLONE_SYSVSEM | CLONE_SETTLS | CLONE_CHILD_CLEARTID,
			       memory + GUARD_BYTES + STACK_BYTES, &guest->tid, tcb, guest_main, guest);
	sys_call4(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, sizeof before);
	if (tid < 0) {
		guest->tid = 0;
		sys_pages_free(memory, guest->bytes);
		guest->stack = NULL;
		return (int)tid;
	}
	guest->task = (int32_t)tid;
	wait_until_parted(guest);
	return 0;
}

void guest_join(struct guest *guest)
{
	uint32_t tid;
	while ((tid = __atomic_load_n(&guest->tid, __ATOMIC_ACQUIRE)))
		sys_futex_wait(&guest->tid, tid, 0);
	/* It counts as a thread of the process for a moment longer, and unshare would refuse. */
	for (int32_t pid = sys_pid(); guest->task && sys_kill_thread(pid, guest->task, 0) == 0;)
		sys_sleep(20000);
	guest->task = 0;
	if (guest->stack)
		sys_pages_free(guest->stack, guest->bytes);
	guest->stack = NULL;
}

#define REAP_PAUSE (NSEC_PER_MSEC / 10)

int guest_reap(int32_t pid, nsec_t timeout, const uint32_t *leave)
{
	nsec_t from = sys_monotonic();
	for (;;) {
		int status = 0;
		long got =
		    sys_call4(SYS_wait4, pid, &status, __WALL | (timeout || leave ? WNOHANG : 0), NULL);
		if (got == pid)
			return status;
		if (got < 0 && got != -EINTR)
			return (int)got;
		nsec_t waited = sys_monotonic() - from;
		if (timeout && waited > timeout) {
			sys_call2(SYS_kill, pid, SIGKILL);
			timeout = 0;
			leave = NULL;
			continue;
		}
		if (leave && __atomic_load_n(leave, __ATOMIC_ACQUIRE))
			return -EINPROGRESS;
		/* A program that ends waits for it: by what it took, and not much more. */
		if (timeout || leave)
			sys_sleep(MIN_OF(MAX_OF(waited / 16, REAP_PAUSE), 10 * NSEC_PER_MSEC));
	}
}

int32_t guest_fork(int (*run)(void *data), void *data, bool as_sibling)
{
	/* Not to be followed by a debugger either. */
	long pid = sys_call5(SYS_clone, CLONE_UNTRACED | (as_sibling ? CLONE_PARENT : 0), 0, 0, 0, 0);
	if (pid == 0)
		for (int result = run(data);;)
			sys_call1(SYS_exit_group, result);
	return (int32_t)pid;
}

void guest_expect_children(void)
{
	static const struct {
		void *handler;
		uint64_t flags, restorer, mask;
	} usual;
	sys_call4(SYS_rt_sigaction, SIGCHLD, &usual, NULL, sizeof usual.mask);
}

struct spawn { /* the caller's: no longer there once it has begun */
	const char *path;
	char *const *argv;
	char *const *envp;
	int out_fd;
	char *stacks;   /* the keeper's, which gives it back, and the program's until it is one */
	uint32_t begun; /* a futex */
};

#define SPAWN_STACK_BYTES ((size_t)32 * 1024)
#define SPAWN_LOOK (10 * NSEC_PER_MSEC)

/* In a child that shares our memory until it has become another program. */
static void spawn_run(void *data)
{
	const struct spawn *spawn = data;
	uint64_t none = 0;
	/* Who waits for the keeper ends it when that takes too long. */
	sys_call2(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL);
	sys_call4(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, sizeof none);
	files_stand_in(0, 0);
	int out = spawn->out_fd;
	if (out < 0)
		out = (int)sys_call4(SYS_openat, AT_FDCWD, "/dev/null", O_RDWR, 0);
	/* dup3 refuses to put one where it is. */
	for (int number = 1; number <= 2; number++)
		if (number != out)
			sys_call3(SYS_dup3, out, number, 0);
	files_close_from(3);
	sys_call3(SYS_execve, spawn->path, spawn->argv, spawn->envp);
	sys_call1(SYS_exit_group, 127);
}

/* Ends the process and gives back the stack that this runs on. */
static _Noreturn void end_with_stack(void *memory, size_t bytes, int status)
{
	sys_pages_disown(memory);
	__asm__ volatile("syscall\n"
			 "	mov %[exit_group], %%eax\n"
			 "	mov %%edx, %%edi\n"
			 "	syscall\n"
			 "	hlt"
			 :
			 : "a"(SYS_munmap), "D"(memory), "S"(bytes),
			   "d"(status), [exit_group] "i"(SYS_exit_group)
			 : "rcx", "r11", "memory");
	__builtin_unreachable();
}

/*
 * The child that has the program for a child. The kernel gives whoever calls exec the exit signal SIGCHLD: a child that
 * did would come up in the wait() of the program that we are in, and call its handler. This one never does. No signal
 * is let through here.
 */
static void keeper_run(void *data)
{
	struct spawn *spawn = data;
	char *stacks = spawn->stacks;
	guest_expect_children();
	long pid = guest_clone(CLONE_VM | CLONE_VFORK | SIGCHLD, stacks + SPAWN_STACK_BYTES, NULL, NULL,
			       spawn_run, spawn);
	__atomic_store_n(&spawn->begun, 1, __ATOMIC_RELEASE);
	sys_futex_wake(&spawn->begun, 1);
	int status = pid < 0 ? 127 << 8 : guest_reap((int32_t)pid, 0, NULL);
	bool has_exited = status >= 0 && WIFEXITED(status);
	end_with_stack(stacks, 2 * SPAWN_STACK_BYTES, has_exited ? WEXITSTATUS(status) : 255);
}

static bool is_running(int32_t pid)
{
	siginfo_t info;
	info.si_pid = 0;
	return sys_call5(SYS_waitid, P_PID, pid, (long)&info, WEXITED | WNOHANG | WNOWAIT | __WALL, 0) == 0 &&
	       info.si_pid == 0;
}

int32_t guest_spawn(const char *path, char *const argv[], char *const envp[], int out_fd)
{
	struct spawn spawn = { .path = path, .argv = argv, .envp = envp, .out_fd = out_fd };
	spawn.stacks = sys_pages(2 * SPAWN_STACK_BYTES);
	if (!spawn.stacks)
		return -ENOMEM;
	uint64_t all = ~UINT64_C(0), before;
	sys_call4(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before, sizeof all);
	long pid =
	    guest_clone(CLONE_VM, spawn.stacks + 2 * SPAWN_STACK_BYTES, NULL, NULL, keeper_run, &spawn);
	sys_call4(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, sizeof before);
	if (pid < 0)
		sys_pages_free(spawn.stacks, 2 * SPAWN_STACK_BYTES);
	while (pid > 0 && !__atomic_load_n(&spawn.begun, __ATOMIC_ACQUIRE) && is_running((int32_t)pid))
		sys_futex_wait(&spawn.begun, 0, SPAWN_LOOK);
	return (int32_t)pid;
}
