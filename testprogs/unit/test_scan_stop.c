/*
 * Holding threads still: all of them, none for longer than asked for, and without any of them
 * coming to know.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/context.h"
#include "platform/process.h"
#include "reporter/scan/stop.h"
#include "reporter/scan/task.h"

#include "testprogs/lib/deny_ptrace.h"
#include "testprogs/unit/suite.h"

#define LIMIT (5 * NSEC_PER_SEC)

static pthread_t start(void *(*run)(void *), void *data)
{
	pthread_t thread;
	ck_assert_int_eq(pthread_create(&thread, NULL, run, data), 0);
	return thread;
}

static void finish(pthread_t thread)
{
	pthread_cancel(thread);
	pthread_join(thread, NULL);
}

static void pause_ms(unsigned ms)
{
	usleep(ms * 1000);
}

/* -- standing still ---------------------------------------------------------- */

static atomic_ulong counted;

static void *count(void *unused)
{
	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
	for (;;)
		counted++;
	return unused;
}

START_TEST(threads_stand_still_and_run_on)
{
	pthread_t threads[3];
	for (unsigned i = 0; i < COUNT_OF(threads); i++)
		threads[i] = start(count, NULL);
	pause_ms(20);
	for (int round = 0; round < 20; round++) {
		struct stop stop;
		ck_assert_int_eq(stop_begin(&stop, LIMIT, NULL, NULL), 0);
		ck_assert_uint_eq(stop.count, COUNT_OF(threads));
		ck_assert(stop_holds(&stop));
		unsigned long before = counted;
		pause_ms(5);
		ck_assert_uint_eq(counted, before);
		stop_end(&stop);
		ck_assert(!stop_holds(&stop));
		for (int i = 0; i < 1000 && counted == before; i++)
			pause_ms(1);
		ck_assert_uint_ne(counted, before);
	}
	for (unsigned i = 0; i < COUNT_OF(threads); i++)
		finish(threads[i]);
}
END_TEST

START_TEST(nobody_else)
{
	struct stop stop;
	ck_assert_int_eq(stop_begin(&stop, LIMIT, NULL, NULL), 0);
	ck_assert_uint_eq(stop.count, 0);
	stop_end(&stop);
}
END_TEST

static atomic_bool breed_on;

static void *breed(void *unused)
{
	pthread_t next;
	pthread_detach(pthread_self());
	if (breed_on)
		pthread_create(&next, NULL, breed, NULL);
	return unused;
}

START_TEST(threads_that_come_and_go)
{
	breed_on = true;
	for (int i = 0; i < 4; i++)
		start(breed, NULL);
	for (int round = 0; round < 50; round++) {
		struct stop stop;
		ck_assert_int_eq(stop_begin(&stop, LIMIT, NULL, NULL), 0);
		stop_end(&stop);
	}
	breed_on = false;
	pause_ms(50);
}
END_TEST

/* -- registers --------------------------------------------------------------- */

#define WORD_GENERAL UINT64_C(0x1122334455667788)
#define WORD_VECTOR UINT64_C(0x99aabbccddeeff00)

static atomic_uint ready;

static void *keep_in_registers(void *unused)
{
	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
	ready++;
	__asm__ volatile("movq %1, %%xmm9\n\t"
			 "mov %0, %%r12\n1:\tpause\n\tjmp 1b"
			 :
			 : "r"(WORD_GENERAL), "r"(WORD_VECTOR)
			 : "r12", "xmm9");
	return unused;
}

static bool has_word(const struct stop *stop, uint64_t thread, uint64_t word)
{
	for (uint32_t i = 0; i < stop->threads[thread].words; i++)
		if (stop->registers[thread * STOP_WORDS + i] == word)
			return true;
	return false;
}

START_TEST(registers_are_read)
{
	ready = 0;
	pthread_t thread = start(keep_in_registers, NULL);
	while (!ready)
		pause_ms(1);
	pause_ms(10);
	struct stop stop;
	ck_assert_int_eq(stop_begin(&stop, LIMIT, NULL, NULL), 0);
	bool general = has_word(&stop, 0, WORD_GENERAL), vector = has_word(&stop, 0, WORD_VECTOR);
	uint64_t pointer = stop.threads[0].pointer;
	stop_end(&stop);
	ck_assert(general);
	ck_assert(vector);
	ck_assert_uint_eq(pointer, (uint64_t)thread);
	finish(thread);
}
END_TEST

/* -- the allocator ------------------------------------------------------------ */

static atomic_uint busy_looks;
static bool busy_at_first(uint64_t pointer)
{
	(void)pointer;
	return busy_looks++ < 3;
}

static bool busy_always(uint64_t pointer)
{
	(void)pointer;
	return true;
}

START_TEST(busy_threads_may_run_on_for_a_while)
{
	pthread_t thread = start(count, NULL);
	struct stop stop;
	busy_looks = 0;
	ck_assert_int_eq(stop_begin(&stop, LIMIT, busy_at_first, NULL), 0);
	ck_assert_uint_eq(busy_looks, 4);
	ck_assert(!stop.threads[0].busy);
	stop_end(&stop);
	ck_assert_int_eq(stop_begin(&stop, LIMIT, busy_always, NULL), 0);
	ck_assert(stop.threads[0].busy);
	unsigned long before = counted;
	pause_ms(5);
	ck_assert_uint_eq(counted, before);
	stop_end(&stop);
	finish(thread);
}
END_TEST

/* -- in the midst of a write -------------------------------------------------- */

#define WRITTEN_BYTES ((size_t)1 << 20)

static int writing[2];
static atomic_int writer_tid;

static void *writer(void *unused)
{
	static char data[WRITTEN_BYTES];
	(void)unused;
	writer_tid = (int)syscall(SYS_gettid);
	return (void *)write(writing[1], data, sizeof data);
}

/* Until it sleeps with the pipe full. */
static void wait_until_full(void)
{
	int bytes = 0;
	while (!writer_tid || ioctl(writing[0], FIONREAD, &bytes) != 0 || bytes < 65536)
		pause_ms(1);
	char path[64], state = 0;
	snprintf(path, sizeof path, "/proc/self/task/%d/stat", writer_tid);
	while (state != 'S') {
		FILE *file = fopen(path, "r");
		ck_assert_ptr_nonnull(file);
		ck_assert_int_eq(fscanf(file, "%*d %*s %c", &state), 1);
		fclose(file);
	}
}

START_TEST(a_write_is_not_cut_short)
{
	struct stop stop;
	void *result;
	ck_assert_int_eq(pipe(writing), 0);
	pthread_t thread = start(writer, NULL);
	wait_until_full();
	ck_assert_int_eq(stop_begin(&stop, LIMIT, NULL, NULL), -EBUSY);
	static char into[65536];
	size_t left = WRITTEN_BYTES;
	while (left) {
		ssize_t got = read(writing[0], into, sizeof into);
		ck_assert_int_gt(got, 0);
		left -= (size_t)got;
	}
	pthread_join(thread, &result);
	ck_assert_uint_eq((size_t)result, WRITTEN_BYTES);
	/* Now that it is over. */
	ck_assert_int_eq(stop_begin(&stop, LIMIT, NULL, NULL), 0);
	stop_end(&stop);
	close(writing[0]);
	close(writing[1]);
}
END_TEST

/* -- nobody comes to know ------------------------------------------------------ */

static int epoll, semaphore, queue;
static atomic_uint interrupted, entered;

static void *in_epoll(void *unused)
{
	struct epoll_event event;
	for (entered++;;)
		if (epoll_wait(epoll, &event, 1, -1) < 0)
			interrupted++;
	return unused;
}

static void *in_semop(void *unused)
{
	struct sembuf take = { .sem_op = -1 };
	for (entered++;;)
		if (semop(semaphore, &take, 1) < 0 && errno == EINTR)
			interrupted++;
	return unused;
}

static void *in_msgrcv(void *unused)
{
	struct {
		long type;
		char text[8];
	} message;
	for (entered++;;)
		if (msgrcv(queue, &message, sizeof message.text, 0, 0) < 0 && errno == EINTR)
			interrupted++;
	return unused;
}

static void *in_sigwaitinfo(void *unused)
{
	sigset_t set;
	siginfo_t info;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	for (entered++;;)
		if (sigwaitinfo(&set, &info) < 0)
			interrupted++;
	return unused;
}

static void *in_sleep(void *unused)
{
	for (entered++;;)
		if (sleep(1000) != 0)
			interrupted++;
	return unused;
}

static void *in_read(void *fd)
{
	char byte;
	for (entered++;;)
		if (read(*(int *)fd, &byte, 1) < 0)
			interrupted++;
	return NULL;
}

/* A socket with a limit of time of its own. */
static int limited_socket(void)
{
	const struct timeval limit = { .tv_sec = 1000 };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	return fd;
}

static void *in_accept(void *fd)
{
	for (entered++;;)
		if (accept(*(int *)fd, NULL, NULL) < 0)
			interrupted++;
	return NULL;
}

static void *in_recv(void *fd)
{
	char byte;
	for (entered++;;)
		if (recv(*(int *)fd, &byte, 1, 0) < 0)
			interrupted++;
	return NULL;
}

START_TEST(no_call_is_interrupted)
{
	sigset_t set;
	int fds[2], listening = limited_socket(), receiving = limited_socket();
	const struct sockaddr_un nowhere = { .sun_family = AF_UNIX };
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	ck_assert_int_eq(pipe(fds), 0);
	epoll = epoll_create1(0);
	semaphore = semget(IPC_PRIVATE, 1, 0600);
	queue = msgget(IPC_PRIVATE, 0600);
	interrupted = entered = 0;
	/* A name that the kernel chooses. */
	struct sockaddr_un name;
	socklen_t length = sizeof name;
	ck_assert_int_eq(bind(listening, (const void *)&nowhere, sizeof nowhere.sun_family), 0);
	ck_assert_int_eq(listen(listening, 2), 0);
	ck_assert_int_eq(getsockname(listening, (void *)&name, &length), 0);
	ck_assert_int_eq(connect(receiving, (const void *)&name, length), 0);
	int accepted = accept(listening, NULL, NULL);
	pthread_t threads[] = { start(in_epoll, NULL),        start(in_semop, NULL),
				start(in_msgrcv, NULL),       start(in_sigwaitinfo, NULL),
				start(in_sleep, NULL),        start(in_read, fds),
				start(in_accept, &listening), start(in_recv, &receiving) };
	while (entered < COUNT_OF(threads))
		pause_ms(1);
	pause_ms(20);
	for (int round = 0; round < 30; round++) {
		struct stop stop;
		ck_assert_int_eq(stop_begin(&stop, LIMIT, NULL, NULL), 0);
		ck_assert_uint_eq(stop.count, COUNT_OF(threads));
		stop_end(&stop);
		pause_ms(2);
	}
	unsigned seen = interrupted;
	for (unsigned i = 0; i < COUNT_OF(threads); i++)
		pthread_cancel(threads[i]);
	semctl(semaphore, 0, IPC_RMID);
	msgctl(queue, IPC_RMID, NULL);
	for (unsigned i = 0; i < COUNT_OF(threads); i++)
		if (i != 1 &&
		    i != 2) /* semop and msgrcv are no cancellation points everywhere: they may spin on */
			pthread_join(threads[i], NULL);
	close(accepted);
	close(receiving);
	close(listening);
	close(fds[0]);
	close(fds[1]);
	close(epoll);
	ck_assert_uint_eq(seen, 0);
}
END_TEST

static void on_usr1(int signal)
{
	(void)signal;
}

/* One that runs a handler while the thread is held ends the call, as ever. */
START_TEST(a_signal_meanwhile_ends_the_call)
{
	const struct sigaction action = { .sa_handler = on_usr1, .sa_flags = SA_RESTART };
	struct sigaction before;
	ck_assert_int_eq(sigaction(SIGUSR1, &action, &before), 0);
	epoll = epoll_create1(0);
	interrupted = entered = 0;
	pthread_t thread = start(in_epoll, NULL);
	while (entered < 1)
		pause_ms(1);
	for (unsigned round = 1; round <= 10; round++) {
		struct stop stop;
		pause_ms(20);
		ck_assert_int_eq(stop_begin(&stop, LIMIT, NULL, NULL), 0);
		ck_assert_int_eq(pthread_kill(thread, SIGUSR1), 0);
		stop_end(&stop);
		for (unsigned waited = 0; interrupted < round && waited < 10000; waited++)
			pause_ms(1);
		ck_assert_uint_eq(interrupted, round);
	}
	pthread_cancel(thread);
	pthread_join(thread, NULL);
	close(epoll);
	sigaction(SIGUSR1, &before, NULL);
}
END_TEST

static atomic_uint delivered;
static void on_signal(int number)
{
	(void)number;
	delivered++;
}

static atomic_bool wait_on;
static void *wait_for_signals(void *unused)
{
	while (wait_on)
		pause_ms(1);
	return unused;
}

/* Signals that count (of real time, so that none swallows another) reach a thread that is stopped over and over. */
START_TEST(no_signal_is_lost)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	sigaction(SIGRTMIN + 3, &action, NULL);
	wait_on = true;
	delivered = 0;
	pthread_t thread = start(wait_for_signals, NULL);
	unsigned sent = 0;
	for (int round = 0; round < 100; round++) {
		struct stop stop;
		for (int i = 0; i < 3; i++)
			sent += pthread_kill(thread, SIGRTMIN + 3) == 0;
		ck_assert_int_eq(stop_begin(&stop, LIMIT, NULL, NULL), 0);
		for (int i = 0; i < 3; i++)
			sent += pthread_kill(thread, SIGRTMIN + 3) == 0;
		stop_end(&stop);
	}
	for (int i = 0; i < 2000 && delivered < sent; i++)
		pause_ms(1);
	wait_on = false;
	pthread_join(thread, NULL);
	ck_assert_uint_eq(delivered, sent);
}
END_TEST

/* -- who is spared -------------------------------------------------------------- */

static atomic_int reader_tid;
static atomic_uint reads;
static int reader_pipe[2];

static void *read_on(void *unused)
{
	char byte;
	for (reader_tid = (int)syscall(SYS_gettid); read(reader_pipe[0], &byte, 1) == 1 && byte != 'x';)
		reads++;
	return unused;
}

/* The same twice, and it slept for all of the time in between. */
static void wait_until_reading(int tasks_fd)
{
	struct task_call call;
	uint64_t turns = 0, before;
	do {
		before = turns;
		pause_ms(5);
		turns = reader_tid ? task_turns(tasks_fd, reader_tid) : 0;
	} while (!turns || turns != before || !task_call(tasks_fd, reader_tid, &call) ||
		 call.number != SYS_read);
}

static bool knows_the_reader(struct stop *stop, struct stop_thread *thread, uint64_t *ret_words)
{
	struct task_call call;
	if (thread->tid != reader_tid || !task_call(stop->tasks_fd, thread->tid, &call))
		return false;
	ret_words[0] = call.arguments[0];
	thread->words = 1;
	thread->sp = call.sp;
	return true;
}

START_TEST(who_sleeps_and_is_known_is_left_alone)
{
	struct stop stop;
	int tasks_fd = open("/proc/self/task", O_RDONLY | O_DIRECTORY);
	/* A kernel that does not count this has all of them stopped. */
	if (!task_turns(tasks_fd, (int)syscall(SYS_gettid)))
		return;
	ck_assert_int_eq(pipe(reader_pipe), 0);
	reader_tid = 0;
	reads = 0;
	pthread_t other = start(count, NULL), reader = start(read_on, NULL);
	wait_until_reading(tasks_fd);
	uint64_t turns = task_turns(tasks_fd, reader_tid);
	ck_assert_int_eq(stop_begin(&stop, LIMIT, NULL, knows_the_reader), 0);
	ck_assert_uint_eq(stop.count, 2);
	ck_assert_uint_eq(stop.spared, 1);
	ck_assert(stop_slept(&stop));
	ck_assert_uint_eq(task_turns(tasks_fd, reader_tid), turns);
	/* The other stands still, this one can be woken, and that is noticed. */
	ck_assert_int_eq(write(reader_pipe[1], "1", 1), 1);
	while (!reads)
		pause_ms(1);
	ck_assert(!stop_slept(&stop));
	stop_end(&stop);
	ck_assert_int_eq(stop_begin(&stop, LIMIT, NULL, NULL), 0);
	ck_assert_uint_eq(stop.spared, 0);
	stop_end(&stop);
	ck_assert_int_eq(write(reader_pipe[1], "x", 1), 1);
	pthread_join(reader, NULL);
	finish(other);
	close(reader_pipe[0]);
	close(reader_pipe[1]);
	close(tasks_fd);
}
END_TEST

/* -- where it is not allowed ---------------------------------------------------- */

/* In a child, since the filter stays. */
static int try_where_denied(void)
{
	pthread_t thread;
	struct stop stop;
	if (!deny_ptrace())
		return 77;
	if (pthread_create(&thread, NULL, count, NULL) != 0)
		return 1;
	if (stop_begin(&stop, LIMIT, NULL, NULL) != -EPERM)
		return 2;
	unsigned long before = counted;
	for (int i = 0; i < 1000 && counted == before; i++)
		pause_ms(1);
	return counted == before ? 3 : 0;
}

/* What PR_SET_PTRACER is set back to afterwards: what the program had set, and not what its parent had. */
START_TEST(whom_the_program_lets_trace_it_is_kept)
{
	ck_assert_uint_eq(process_tracer(), 0);
	process_tracer_note(4711);
	ck_assert_uint_eq(process_tracer(), 4711);
	pid_t child = fork();
	if (child == 0)
		_exit(process_tracer() != 0);
	int status;
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	process_tracer_note(0);
	ck_assert_uint_eq(process_tracer(), 0);
}
END_TEST

START_TEST(where_it_is_denied_nothing_is_held)
{
	pid_t child = fork();
	if (child == 0)
		_exit(try_where_denied());
	int status;
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFEXITED(status));
	ck_assert(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 77);
}
END_TEST

int main(void)
{
	const char *preload = getenv("LD_PRELOAD");
	if (preload && strstr(preload, "vgpreload")) {
		puts("valgrind runs one thread at a time, and lets none be traced");
		return 77;
	}
	Suite *suite = suite_create("scan_stop");
	TCase *tests = tcase_create("stop");
	tcase_set_timeout(tests, 30);
	tcase_add_test(tests, threads_stand_still_and_run_on);
	tcase_add_test(tests, nobody_else);
	tcase_add_test(tests, threads_that_come_and_go);
	tcase_add_test(tests, registers_are_read);
	tcase_add_test(tests, busy_threads_may_run_on_for_a_while);
	tcase_add_test(tests, no_signal_is_lost);
	tcase_add_test(tests, who_sleeps_and_is_known_is_left_alone);
	tcase_add_test(tests, whom_the_program_lets_trace_it_is_kept);
	tcase_add_test(tests, where_it_is_denied_nothing_is_held);
	tcase_add_test(tests, no_call_is_interrupted);
	tcase_add_test(tests, a_signal_meanwhile_ends_the_call);
	tcase_add_test(tests, a_write_is_not_cut_short);
	suite_add_tcase(suite, tests);
	int failed = suite_run(suite);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
