#include "reporter/scan/stop.h"

#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>

#include "base/context.h"
#include "platform/files.h"
#include "platform/guest.h"
#include "platform/process.h"
#include "platform/sys.h"
#include "reporter/scan/memory.h"
#include "reporter/scan/task.h"

enum phase {
	PHASE_MADE, /* the tracer waits until the caller has allowed it to trace */
	PHASE_GO,
	PHASE_HELD,   /* the caller scans */
	PHASE_FAILED, /* nothing is held; see `error` */
	PHASE_LET_GO,
};

enum thread_is {
	THREAD_SEIZED, /* runs on, unaware */
	THREAD_ASKED,  /* to stop; has not yet */
	THREAD_HELD,
	THREAD_SPARED, /* asleep; never touched */
	THREAD_GONE,
};

#define TRACER_STACK_BYTES ((uint64_t)64 * 1024)

/* -- the tracer: shares the caller's memory and thread-local storage, so raw system calls only ------- */

static long trace(int request, int32_t tid, void *address, void *data)
{
	return sys_call4(SYS_ptrace, request, tid, address, data);
}

static void phase_set(struct stop *stop, enum phase phase)
{
	__atomic_store_n(&stop->phase, phase, __ATOMIC_RELEASE);
	sys_futex_wake(&stop->phase, 1);
}

static bool is_late(const struct stop *stop)
{
	return sys_monotonic() > stop->deadline;
}

/* As much as a pipe takes in one piece or not at all. */
#define PIPE_PIECE 4096u

/*
 * Whether the thread sleeps in a call that moves data and has perhaps moved some of it. Once interrupted, whatever the reason,
 * such a call returns with what it has moved, which programs take for what it is: less than they asked for.
 */
static bool is_amid_transfer(const struct stop *stop, int32_t tid)
{
	static const uint16_t calls[] = {
		SYS_writev,   SYS_pwritev,  SYS_pwritev2, SYS_sendto,   SYS_sendmsg,
		SYS_sendmmsg, SYS_sendfile, SYS_splice,   SYS_vmsplice, SYS_recvmmsg
	};
	struct task_call call;
	if (!task_call(stop->tasks_fd, tid, &call))
		return false;
	if (call.number == SYS_write || call.number == SYS_pwrite64)
		return call.arguments[2] > PIPE_PIECE;
	if (call.number == SYS_recvfrom)
		return call.arguments[3] & MSG_WAITALL;
	if (call.number == SYS_recvmsg)
		return call.arguments[2] & MSG_WAITALL;
	for (size_t i = 0; i < COUNT_OF(calls); i++)
		if (call.number == calls[i])
			return true;
	return false;
}

static int seize(const struct stop *stop, struct stop_thread *thread)
{
	int32_t tid = thread->tid;
	*thread = (struct stop_thread){ .tid = tid, .state = THREAD_SEIZED };
	long error = trace(PTRACE_SEIZE, tid, NULL, NULL);
	if (error) {
		thread->state = THREAD_GONE;
		/* A first thread that has ended stays listed as long as others run. */
		char state = task_state(stop->tasks_fd, tid);
		return error != -ESRCH && state && state != 'Z' && state != 'X' ? (int)error : 0;
	}
	thread->asleep = task_state(stop->tasks_fd, tid) == 'S';
	return thread->asleep && is_amid_transfer(stop, tid) ? -EBUSY : 0;
}

/* Return: whether the thread is left alone: what it has in registers is known as long as it has not run. */
static bool spare(struct stop *stop, struct stop_thread *thread)
{
	thread->turns = stop->knows ? task_turns(stop->tasks_fd, thread->tid) : 0;
	uint64_t number = (uint64_t)(thread - stop->threads);
	if (!thread->turns || !stop->knows(stop, thread, stop->registers + number * STOP_WORDS))
		return false;
	thread->state = THREAD_SPARED;
	thread->asleep = true;
	stop->spared++;
	return true;
}

static int take_in(struct stop *stop, int32_t tid)
{
	if (stop->count == stop->room)
		return -EAGAIN;
	struct stop_thread *thread = &stop->threads[stop->count++];
	*thread = (struct stop_thread){ .tid = tid };
	return spare(stop, thread) ? 0 : seize(stop, thread);
}

static bool has_slept(const struct stop_thread *thread, int tasks_fd)
{
	return thread->state != THREAD_SPARED || task_turns(tasks_fd, thread->tid) == thread->turns;
}

/* Seizes those spared ones that have run since. Return: how many there were, or -errno. */
static int seize_woken(struct stop *stop)
{
	int found = 0;
	for (uint64_t i = 0; stop->spared && i < stop->count; i++) {
		if (has_slept(&stop->threads[i], stop->tasks_fd))
			continue;
		int error = seize(stop, &stop->threads[i]);
		if (error)
			return error;
		stop->spared--;
		found++;
	}
	return found;
}

static bool all_slept(const struct stop *stop, int tasks_fd)
{
	for (uint64_t i = 0; stop->spared && i < stop->count; i++)
		if (!has_slept(&stop->threads[i], tasks_fd))
			return false;
	return true;
}

static bool is_known(const struct stop *stop, int32_t tid)
{
	for (uint64_t i = 0; i < stop->count; i++)
		if (stop->threads[i].tid == tid)
			return true;
	return tid == stop->caller;
}

/* Spares or seizes every thread that is not known yet. Return: how many there were, or -errno. */
static int seize_new(struct stop *stop)
{
	struct entry {
		uint64_t inode, offset;
		uint16_t bytes;
		uint8_t type;
		char name[];
	};
	char buffer[2048] __attribute__((aligned(8))) = { 0 };
	int found = 0;
	sys_call3(SYS_lseek, stop->tasks_fd, 0, SEEK_SET);
	for (;;) {
		long got = sys_call3(SYS_getdents64, stop->tasks_fd, buffer, sizeof buffer);
		if (got <= 0)
			return got ? (int)got : found;
		for (long at = 0; at < got;) {
			const struct entry *entry = (const struct entry *)(buffer + at);
			at += entry->bytes;
			int32_t tid = 0;
			for (const char *digit = entry->name; *digit >= '0' && *digit <= '9'; digit++)
				tid = tid * 10 + (*digit - '0');
			if (!tid || is_known(stop, tid))
				continue;
			int error = take_in(stop, tid);
			if (error)
				return error;
			found++;
		}
	}
}

/* Takes in what the kernel says of a thread that was asked to stop. */
static void thread_look(struct stop_thread *thread)
{
	int status = 0;
	long got = sys_call4(SYS_wait4, thread->tid, &status, __WALL | WNOHANG, NULL);
	if (got == 0 || got == -EINTR)
		return;
	if (got < 0 || !WIFSTOPPED(status)) {
		thread->state = THREAD_GONE;
		return;
	}
	thread->state = THREAD_HELD;
	thread->signal = status >> 16 ? 0 : WSTOPSIG(status);
}

/* Interrupts them: those that sleep, or all. */
static void ask(struct stop *stop, bool all)
{
	for (uint64_t i = 0; i < stop->count; i++) {
		struct stop_thread *thread = &stop->threads[i];
		if (thread->state != THREAD_SEIZED || (!all && !thread->asleep))
			continue;
		bool there = trace(PTRACE_INTERRUPT, thread->tid, NULL, NULL) == 0;
		thread->state = there ? THREAD_ASKED : THREAD_GONE;
	}
}

/* The kernel says by SIGCHLD that a thread has come to a stop; blocked, it waits for us to come and take it. */
#define CHILD_MASK (UINT64_C(1) << (SIGCHLD - 1))
#define ASK_AGAIN (5 * NSEC_PER_MSEC)

/* The tracer's handlers are its own, as the program had set them: it might have wanted no such signal. */
static void expect_children(void)
{
	guest_expect_children();
	uint64_t mask = CHILD_MASK;
	sys_call4(SYS_rt_sigprocmask, SIG_BLOCK, &mask, NULL, sizeof mask);
}

static int wait_held(struct stop *stop)
{
	const struct timespec again = { .tv_nsec = ASK_AGAIN };
	const uint64_t mask = CHILD_MASK;
	for (;;) {
		uint64_t waiting = 0;
		for (uint64_t i = 0; i < stop->count; i++) {
			struct stop_thread *thread = &stop->threads[i];
			if (thread->state == THREAD_ASKED)
				thread_look(thread);
			waiting += thread->state == THREAD_ASKED;
		}
		if (!waiting)
			return 0;
		if (is_late(stop))
			return -ETIMEDOUT;
		/* Asleep: who is to stop needs a processor for it, which may be ours. */
		sys_call4(SYS_rt_sigtimedwait, &mask, NULL, &again, sizeof mask);
	}
}

static int read_registers(struct stop *stop, uint64_t number)
{
	struct stop_thread *thread = &stop->threads[number];
	uint64_t *words = stop->registers + number * STOP_WORDS;
	struct iovec general = { .iov_base = words, .iov_len = STOP_WORDS * 8 };
	long error = trace(PTRACE_GETREGSET, thread->tid, (void *)NT_PRSTATUS, &general);
	if (error == -ESRCH) {
		thread->state = THREAD_GONE;
		return 0;
	}
	if (error || general.iov_len < sizeof(struct user_regs_struct))
		return error ? (int)error : -EIO;
	const struct user_regs_struct *registers = (const void *)words;
	thread->sp = registers->rsp;
	thread->pointer = registers->fs_base;
	thread->words = sizeof *registers / 8;
	struct iovec extended = { .iov_base = words + thread->words,
				  .iov_len = (STOP_WORDS - thread->words) * 8 };
	if (trace(PTRACE_GETREGSET, thread->tid, (void *)NT_X86_XSTATE, &extended) == 0)
		thread->words += (uint32_t)(extended.iov_len / 8);
	return 0;
}

/*
 * These end with EINTR once the thread is to stop, whatever the reason: unlike others, the kernel does not begin
 * them again by itself. Nothing has happened yet, so they may be made again. Those on descriptors are among them where a
 * socket has a limit of time of its own (SO_RCVTIMEO, SO_SNDTIMEO).
 */
static bool is_to_be_made_again(const struct user_regs_struct *registers)
{
	static const uint16_t calls[] = {
		SYS_epoll_wait,   SYS_epoll_pwait,   SYS_epoll_pwait2,    SYS_semop,   SYS_semtimedop,
		SYS_io_getevents, SYS_io_pgetevents, SYS_rt_sigtimedwait, SYS_msgrcv,  SYS_msgsnd,
		SYS_read,         SYS_readv,         SYS_recvfrom,        SYS_recvmsg, SYS_accept,
		SYS_accept4,      SYS_connect,       SYS_write,           SYS_writev,  SYS_sendto,
		SYS_sendmsg,
	};
	if ((int64_t)registers->rax != -EINTR)
		return false;
	for (size_t i = 0; i < COUNT_OF(calls); i++)
		if (registers->orig_rax == calls[i])
			return true;
	return false;
}

/*
 * The kernel's own mark of a call that is to be made again, unless a handler of a signal runs first: then it ends with EINTR,
 * as it would have without us. So a signal that has come meanwhile keeps its effect. No header for programs has it.
 */
#define ERESTARTNOHAND 514

/* The system call that our stop has interrupted is made again, as if nothing had been. */
static void make_call_again(const struct stop *stop, uint64_t number)
{
	const struct stop_thread *thread = &stop->threads[number];
	struct user_regs_struct *registers = (void *)(stop->registers + number * STOP_WORDS);
	if (thread->signal || !thread->words || !is_to_be_made_again(registers))
		return;
	registers->rax = (uint64_t)-ERESTARTNOHAND;
	struct iovec general = { .iov_base = registers, .iov_len = sizeof *registers };
	trace(PTRACE_SETREGSET, thread->tid, (void *)NT_PRSTATUS, &general);
}

#define BUSY_PAUSE (NSEC_PER_MSEC / 5)
#define BUSY_ROUNDS 100

/* Lets those run on for a moment that are inside of the allocator. Return: how many there were. */
static int let_busy_run(struct stop *stop)
{
	int busy = 0;
	for (uint64_t i = 0; i < stop->count; i++) {
		struct stop_thread *thread = &stop->threads[i];
		thread->busy = thread->state == THREAD_HELD && stop->is_busy && thread->pointer &&
			       stop->is_busy(thread->pointer);
		busy += thread->busy;
	}
	if (!busy)
		return 0;
	/* All of them at once: one may hold the allocator's lock that another waits for. */
	for (uint64_t i = 0; i < stop->count; i++) {
		struct stop_thread *thread = &stop->threads[i];
		if (thread->busy)
			make_call_again(stop, i);
		if (thread->busy && trace(PTRACE_CONT, thread->tid, NULL, (void *)(long)thread->signal) == 0)
			thread->state = THREAD_SEIZED;
	}
	sys_sleep(BUSY_PAUSE);
	ask(stop, true);
	return busy;
}

/* Those that sleep first: they need a processor to stop, and who has one may use it until they do. */
static int hold_seized(struct stop *stop)
{
	ask(stop, false);
	int error = wait_held(stop);
	if (error)
		return error;
	ask(stop, true);
	return wait_held(stop);
}

static int hold_all(struct stop *stop)
{
	int fresh = seize_new(stop);
	stop->from = sys_monotonic();
	stop->deadline = stop->from + stop->limit;
	for (int round = 0;;) {
		if (fresh < 0)
			return fresh;
		int error = hold_seized(stop);
		if (error)
			return error;
		fresh = seize_new(stop);
		if (!fresh)
			fresh = seize_woken(stop);
		if (fresh)
			continue;
		for (uint64_t i = 0; i < stop->count && !error; i++)
			if (stop->threads[i].state == THREAD_HELD)
				error = read_registers(stop, i);
		if (error)
			return error;
		if (round++ == BUSY_ROUNDS || !let_busy_run(stop))
			return 0;
	}
}

/* Lets go those that stand still. Return: how many were asked to stop and don't yet. */
static uint64_t let_held_go(struct stop *stop)
{
	uint64_t waiting = 0;
	for (uint64_t i = 0; i < stop->count; i++) {
		struct stop_thread *thread = &stop->threads[i];
		waiting += thread->state == THREAD_ASKED;
		if (thread->state != THREAD_HELD)
			continue;
		/* Where it came to nothing they may not have been read. */
		if (thread->words || read_registers(stop, i) == 0)
			make_call_again(stop, i);
		trace(PTRACE_DETACH, thread->tid, NULL, (void *)(long)thread->signal);
		thread->state = THREAD_GONE;
	}
	return waiting;
}

/* Longer than anything sleeps uninterruptibly that is not broken. */
#define STRAGGLERS_LIMIT NSEC_PER_SEC

/*
 * One that was asked to stop has had its system call interrupted, so it has to be waited for, to have that made again. Who
 * does not stop in time is let go by the kernel, when the tracer ends.
 */
static void let_go(struct stop *stop)
{
	nsec_t until = sys_monotonic() + STRAGGLERS_LIMIT;
	while (let_held_go(stop) && sys_monotonic() < until) {
		sys_sleep(NSEC_PER_MSEC / 10);
		for (uint64_t i = 0; i < stop->count; i++)
			if (stop->threads[i].state == THREAD_ASKED)
				thread_look(&stop->threads[i]);
	}
}

/* In the tracer's own table of descriptors. */
static int tasks_open(struct stop *stop)
{
	char path[40];
	struct text name = TEXT_OF(path);
	text_format(&name, "/proc/%d/task", stop->process);
	stop->tasks_fd = sys_open(path, O_RDONLY | O_DIRECTORY, 0);
	return MIN_OF(stop->tasks_fd, 0);
}

static void tracer_run(void *data)
{
	struct stop *stop = data;
	sys_call2(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL);
	/* Nobody would say that it is over, if the process has ended before that. */
	if (sys_call0(SYS_getppid) != stop->process)
		return;
	files_part(stop->files);
	expect_children();
	while (__atomic_load_n(&stop->phase, __ATOMIC_ACQUIRE) == PHASE_MADE)
		sys_futex_wait(&stop->phase, PHASE_MADE, NSEC_PER_SEC);
	if (__atomic_load_n(&stop->phase, __ATOMIC_ACQUIRE) == PHASE_GO) {
		stop->error = tasks_open(stop);
		if (!stop->error)
			stop->error = hold_all(stop);
		if (!stop->error && stop->while_held) {
			stop->while_held(stop->data);
			stop->slept = all_slept(stop, stop->tasks_fd);
		} else if (!stop->error) {
			phase_set(stop, PHASE_HELD);
			while (__atomic_load_n(&stop->phase, __ATOMIC_ACQUIRE) == PHASE_HELD)
				sys_futex_wait(&stop->phase, PHASE_HELD, NSEC_PER_SEC);
		}
	}
	let_go(stop);
	stop->to = sys_monotonic();
	if (stop->error || stop->while_held)
		phase_set(stop, stop->error ? PHASE_FAILED : PHASE_LET_GO);
}

/* -- the caller ------------------------------------------------------------------------------------- */

static void reap(struct stop *stop)
{
	while (sys_call4(SYS_wait4, stop->tracer, NULL, __WALL, NULL) == -EINTR)
		;
}

void stop_release(struct stop *stop)
{
	memory_free(stop->threads, stop->room, sizeof *stop->threads);
	memory_free(stop->registers, stop->room * STOP_WORDS, sizeof *stop->registers);
	stop->threads = NULL;
	stop->registers = NULL;
	stop->count = 0;
}

static void release_tracer(struct stop *stop)
{
	sys_call4(SYS_rt_sigprocmask, SIG_SETMASK, &stop->signals, NULL, sizeof stop->signals);
	if (stop->stack)
		sys_pages_free(stop->stack, TRACER_STACK_BYTES);
	stop->stack = NULL;
}

static void release(struct stop *stop)
{
	release_tracer(stop);
	stop_release(stop);
}

/*
 * A process that made itself undumpable (it changed its user, or guards a secret) can't be traced;
 * it is made so again as soon as its threads are held.
 */
static void dumpable_set(struct stop *stop)
{
	stop->undumpable = sys_call1(SYS_prctl, PR_GET_DUMPABLE) == 0;
	if (stop->undumpable)
		sys_call2(SYS_prctl, PR_SET_DUMPABLE, 1);
}

static void dumpable_restore(const struct stop *stop)
{
	if (stop->undumpable)
		sys_call2(SYS_prctl, PR_SET_DUMPABLE, 0);
}

static int make_room(struct stop *stop, uint64_t more)
{
	int threads = process_threads();
	if (threads < 0)
		return -EACCES;
	/* Threads may be made while the first of them are being stopped. */
	stop->room = (uint64_t)threads * 2 + more;
	stop->threads = memory_array(stop->room, sizeof *stop->threads);
	stop->registers = memory_array(stop->room * STOP_WORDS, sizeof *stop->registers);
	stop->stack = sys_pages(TRACER_STACK_BYTES);
	if (!stop->threads || !stop->registers || !stop->stack)
		return -ENOMEM;
	/* Not while threads stand still. */
	for (int i = 0; i < threads; i++)
		stop->registers[(uint64_t)i * STOP_WORDS] = stop->registers[(uint64_t)i * STOP_WORDS + 512] =
		    0;
	return 0;
}

/* Waits until the tracer has said how it went, or has died. */
static int wait_for_tracer(struct stop *stop)
{
	uint32_t phase;
	while ((phase = __atomic_load_n(&stop->phase, __ATOMIC_ACQUIRE)) == PHASE_GO) {
		if (!__atomic_load_n(&stop->tracer_alive, __ATOMIC_ACQUIRE))
			return -ECHILD;
		sys_futex_wait(&stop->phase, PHASE_GO, 20 * NSEC_PER_MSEC);
	}
	return phase == PHASE_HELD || phase == PHASE_LET_GO ? 0 : stop->error;
}

/* `more`: room for so many threads that come while others are being stopped; -EAGAIN: there were more. */
static int begin_with(struct stop *stop, uint64_t more)
{
	stop->caller = sys_tid();
	stop->process = sys_pid();
	stop->phase = PHASE_MADE;
	stop->files = files_clone_flags();
	stop->spared = 0;
	uint64_t all = ~UINT64_C(0);
	sys_call4(SYS_rt_sigprocmask, SIG_SETMASK, &all, &stop->signals, sizeof all);
	int error = make_room(stop, more);
	if (error) {
		release(stop);
		return error;
	}
	stop->tracer_alive = 1;
	long tracer = guest_clone(CLONE_VM | CLONE_FS | stop->files | CLONE_UNTRACED | CLONE_CHILD_CLEARTID,
				  (char *)stop->stack + TRACER_STACK_BYTES, &stop->tracer_alive, NULL,
				  tracer_run, stop);
	if (tracer < 0) {
		release(stop);
		return (int)tracer;
	}
	stop->tracer = (int32_t)tracer;
	dumpable_set(stop);
	bool yama = sys_call2(SYS_prctl, PR_SET_PTRACER, tracer) == 0;
	phase_set(stop, PHASE_GO);
	error = wait_for_tracer(stop);
	if (yama && sys_call2(SYS_prctl, PR_SET_PTRACER, process_tracer()) != 0)
		sys_call2(SYS_prctl, PR_SET_PTRACER, 0);
	dumpable_restore(stop);
	if (error) {
		reap(stop);
		release(stop);
		return error;
	}
	return 0;
}

#define MORE_FIRST ((uint64_t)64)
#define MORE_MOST ((uint64_t)4096)

static int begin(struct stop *stop)
{
	nsec_t until = sys_monotonic() + stop->limit;
	uint64_t more = MORE_FIRST;
	int error = begin_with(stop, more);
	while (error == -EAGAIN && more < MORE_MOST && sys_monotonic() < until)
		error = begin_with(stop, more *= 8);
	return error;
}

int stop_begin(struct stop *stop, nsec_t limit, bool (*is_busy)(uint64_t thread_pointer), stop_knows *knows)
{
	*stop = (struct stop){ .is_busy = is_busy, .limit = limit, .knows = knows };
	return begin(stop);
}

bool stop_slept(const struct stop *stop)
{
	int fd = stop->spared ? sys_open("/proc/self/task", O_RDONLY | O_DIRECTORY, 0) : -1;
	bool slept = !stop->spared || (fd >= 0 && all_slept(stop, fd));
	if (fd >= 0)
		sys_close(fd);
	return slept;
}

bool stop_holds(const struct stop *stop)
{
	return __atomic_load_n(&stop->tracer_alive, __ATOMIC_ACQUIRE);
}

void stop_end(struct stop *stop)
{
	phase_set(stop, PHASE_LET_GO);
	reap(stop);
	release(stop);
}

int stop_while(struct stop *stop, nsec_t limit, void (*run)(void *data), void *data, stop_knows *knows)
{
	*stop = (struct stop){ .while_held = run, .data = data, .limit = limit, .knows = knows };
	int error = begin(stop);
	if (error)
		return error;
	reap(stop);
	release_tracer(stop);
	return 0;
}
