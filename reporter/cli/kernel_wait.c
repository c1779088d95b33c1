#include "reporter/cli/kernel_wait.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/context.h"
#include "reporter/recording/process.h"

static const struct call {
	long number;
	enum op op;
	enum kind kind;
	int argument;
} calls[] = {
#define CALL(name, op, kind, argument) { SYS_##name, OP_##op, KIND_##kind, argument },
#include "reporter/cli/kernel_calls.def"
};

static const struct call *call_find(long number)
{
	for (size_t i = 0; i < COUNT_OF(calls); i++)
		if (calls[i].number == number)
			return &calls[i];
	return NULL;
}

/* -- glibc's words --------------------------------------------------------- */

/* x86-64, all versions since 2.25 (sysdeps/x86/nptl/bits/struct_{mutex,rwlock}.h). */
#define MUTEX_OWNER 8u
#define RWLOCK_PHASE_FUTEX 8u
#define RWLOCK_WRITERS_FUTEX 12u
#define RWLOCK_WRITER 24u

/* Whether those numbers hold for the glibc that we run on, which is most likely the target's too. */
static bool layout_is_known(void)
{
	static int known = -1;
	if (known >= 0)
		return known;
	pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
	int32_t owner = 0, writer = 0, tid = (int32_t)syscall(SYS_gettid);
	pthread_mutex_lock(&mutex);
	memcpy(&owner, (const char *)&mutex + MUTEX_OWNER, sizeof owner);
	pthread_mutex_unlock(&mutex);
	pthread_rwlock_wrlock(&rwlock);
	memcpy(&writer, (const char *)&rwlock + RWLOCK_WRITER, sizeof writer);
	pthread_rwlock_unlock(&rwlock);
	known = owner == tid && writer == tid;
	return known;
}

/* What reading the words takes. */
struct words {
	int memory;
	const int32_t *tids;
	size_t tid_count;
};

static bool read_word(const struct words *words, uint64_t address, uint32_t *ret_word)
{
	return words->memory >= 0 &&
	       pread(words->memory, ret_word, sizeof *ret_word, (off_t)address) == (ssize_t)sizeof *ret_word;
}

/* The tid in a word, where it is one of the process's own; else 0. */
static int32_t read_tid(const struct words *words, uint64_t address)
{
	uint32_t word;
	if (!read_word(words, address, &word))
		return 0;
	for (size_t i = 0; i < words->tid_count; i++)
		if ((uint32_t)words->tids[i] == (word & FUTEX_TID_MASK))
			return words->tids[i];
	return 0;
}

static void take_lock(struct kernel_wait *wait, enum kind kind, enum op op, uint64_t handle, int32_t owner)
{
	wait->kind = kind;
	wait->op = op;
	wait->mode = kind == KIND_MUTEX ? MODE_EXCLUSIVE : MODE_NONE;
	wait->handle = handle;
	wait->owner = owner;
}

/* `word` is what the caller expects to find at the futex address. */
static void look_at_futex(struct kernel_wait *wait, const struct words *words, uint64_t address,
			  uint32_t operation, uint32_t word)
{
	unsigned command = operation & (unsigned)FUTEX_CMD_MASK;
	int32_t owner;
	uint32_t now;
	if (!layout_is_known() || !read_word(words, address, &now))
		return;
	if (command == FUTEX_LOCK_PI || command == FUTEX_LOCK_PI2) {
		take_lock(wait, KIND_MUTEX, OP_pthread_mutex_lock, address, read_tid(words, address));
		return;
	}
	if (now != word)
		return; /* Woken in between: it does not wait any more. */
	/* pthread_join: the kernel clears this word when the thread ends, and wakes us. */
	if (command == FUTEX_WAIT_BITSET && (owner = read_tid(words, address)) && (uint32_t)owner == word) {
		wait->kind = KIND_THREAD;
		wait->op = OP_pthread_join;
		wait->joined = owner;
		return;
	}
	/* A mutex is 2 while somebody waits, a robust one its owner's tid and a mark. */
	bool contended = word == 2 || ((word & FUTEX_WAITERS) && read_tid(words, address));
	if (contended && (owner = read_tid(words, address + MUTEX_OWNER))) {
		take_lock(wait, KIND_MUTEX, OP_pthread_mutex_lock, address, owner);
		return;
	}
	if (command != FUTEX_WAIT_BITSET)
		return;
	if ((owner = read_tid(words, address - RWLOCK_PHASE_FUTEX + RWLOCK_WRITER))) {
		take_lock(wait, KIND_RWLOCK, OP_pthread_rwlock_rdlock, address - RWLOCK_PHASE_FUTEX, owner);
		wait->mode = MODE_SHARED;
	} else if ((owner = read_tid(words, address - RWLOCK_WRITERS_FUTEX + RWLOCK_WRITER))) {
		take_lock(wait, KIND_RWLOCK, OP_pthread_rwlock_wrlock, address - RWLOCK_WRITERS_FUTEX, owner);
		wait->mode = MODE_EXCLUSIVE;
	}
}

/* -- the look -------------------------------------------------------------- */

static bool is_timed(long number, const uint64_t arguments[6])
{
	switch (number) {
	case SYS_nanosleep:
	case SYS_clock_nanosleep:
		return true;
	case SYS_poll:
		return (int)arguments[2] >= 0;
	case SYS_epoll_wait:
	case SYS_epoll_pwait:
		return (int)arguments[3] >= 0;
	case SYS_ppoll:
	case SYS_rt_sigtimedwait:
		return arguments[2] != 0;
	case SYS_select:
	case SYS_pselect6:
		return arguments[4] != 0;
	case SYS_futex:
	case SYS_semtimedop:
		return arguments[3] != 0;
	default:
		return false;
	}
}

/* The descriptor that a call waits for which can wait for many: where poll is asked about but one it is that. */
static uint64_t polled(const struct words *words, long number, const uint64_t arguments[6])
{
	uint32_t fd; /* the first member of struct pollfd */
	if ((number == SYS_poll || number == SYS_ppoll) && arguments[1] == 1 &&
	    read_word(words, arguments[0], &fd) && fd <= INT32_MAX)
		return fd;
	return WAIT_SEVERAL;
}

void kernel_wait_look(pid_t pid, pid_t tid, int memory, const int32_t *tids, size_t tid_count,
		      struct kernel_wait *ret_wait)
{
	char text[512];
	uint64_t arguments[6];
	struct kernel_wait wait = { .number = -1 };
	const struct words words = { .memory = memory, .tids = tids, .tid_count = tid_count };
	ssize_t length = process_file(wait.channel, sizeof wait.channel, "/proc/%d/task/%d/wchan", pid, tid);
	if (length <= 0 || strcmp(wait.channel, "0") == 0)
		wait.channel[0] = '\0';
	length = process_file(text, sizeof text, "/proc/%d/task/%d/syscall", pid, tid);
	wait.known = length > 0;
	if (length > 0 && sscanf(text,
				 "%ld %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64
				 " %" SCNx64 " %" SCNx64,
				 &wait.number, &arguments[0], &arguments[1], &arguments[2], &arguments[3],
				 &arguments[4], &arguments[5], &wait.sp, &wait.pc) == 9) {
		const struct call *call = call_find(wait.number);
		wait.in_call = true;
		if (call) {
			wait.kind = call->kind;
			wait.op = call->op;
			wait.handle = call->argument >= 0 ? arguments[call->argument] : 0;
			if (call->kind == KIND_FD && call->argument < 0)
				wait.handle = polled(&words, wait.number, arguments);
			wait.timed = is_timed(wait.number, arguments);
		}
		if (wait.number == SYS_futex)
			look_at_futex(&wait, &words, arguments[0], (uint32_t)arguments[1],
				      (uint32_t)arguments[2]);
	} else if (length > 0 && sscanf(text, "-1 %" SCNx64 " %" SCNx64, &wait.sp, &wait.pc) != 2) {
		wait.sp = wait.pc = 0;
	}
	*ret_wait = wait;
}
