#include "reporter/probe.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>

#include "base/digits.h"
#include "base/hash.h"
#include "platform/mapping.h"
#include "platform/process.h"
#include "platform/sys.h"
#include "registry/recording.h"
#include "stack/memory.h"
#include "stack/stack.h"

/* Waits younger than this are not worth a question: most are over by the next look. */
#define PROBE_AGE (50 * NSEC_PER_MSEC)

/* Threads asked for a wait that no hook saw, a look. Chosen somewhat arbitrarily: some 10 us each. */
#define PROBES 32u

/* -- what the kernel says of one thread ------------------------------------ */

/* A futex that a thread is asleep in. */
struct sleep {
	uint64_t word;
	unsigned command; /* FUTEX_WAIT ... */
	bool private;
	bool timed;
};

/* Return: false: it runs, or sleeps in something else. */
static bool read_sleep(int32_t tid, struct sleep *ret_sleep)
{
	char line[256];
	uint64_t number, arguments[4];
	if (process_read_task(0, tid, "syscall", line, sizeof line) <= 0 || line[0] < '0' || line[0] > '9')
		return false;
	const char *at = digits_either(line, &number);
	if (number != SYS_futex)
		return false;
	for (unsigned i = 0; i < COUNT_OF(arguments); i++)
		at = digits_either(at, &arguments[i]);
	*ret_sleep = (struct sleep){
		.word = arguments[0],
		.command = (unsigned)arguments[1] & FUTEX_CMD_MASK,
		.private = arguments[1] & FUTEX_PRIVATE_FLAG,
		.timed = arguments[3] != 0,
	};
	switch (ret_sleep->command) {
	case FUTEX_WAIT:
	case FUTEX_WAIT_BITSET:
	case FUTEX_LOCK_PI:
	case 13 /* FUTEX_LOCK_PI2, newer than some headers */:
		return true;
	default:
		return false;
	}
}

/* -- who has it, by libc's own words --------------------------------------- */

/* The beginning of glibc's pthread_mutex_t. */
struct mutex_words {
	uint32_t lock, count, owner, users, kind;
};

/* Its _IO_lock_t: a recursive lock of its own. `count` is that of all locks, or since glibc 2.37 of those beyond the first. */
struct stream_words {
	uint32_t lock, count;
	uint64_t owner; /* a pthread_t */
};

static thread_id thread_by_pthread(const struct snapshot *snapshot, uint64_t pthread)
{
	for (uint32_t i = 0; pthread && i < snapshot->thread_count; i++)
		if (snapshot->threads[i].pthread == pthread && snapshot->threads[i].state == THREAD_RUNNING)
			return snapshot->threads[i].id;
	return 0;
}

static thread_id thread_by_tid(const struct snapshot *snapshot, uint32_t tid)
{
	const struct snap_thread *thread = tid ? snapshot_thread_by_tid(snapshot, (int32_t)tid) : NULL;
	return thread && thread->state == THREAD_RUNNING ? thread->id : 0;
}

/* In mutex_words.kind: between processes; the kernel has to know the owner, and finds it in the lock word. */
#define MUTEX_SHARED 0x80u
#define MUTEX_ROBUST_OR_PI 0x30u

/* Who has the mutex that `thread` sleeps in. One that another process has is no business of ours. */
static void mutex_owner(const struct snapshot *snapshot, struct snap_thread *thread)
{
	struct mutex_words words;
	if (!memory_copy(&words, thread->wait.handle, sizeof words) || !words.lock || !words.users)
		return;
	/* libc's own field says something else in a robust one that was taken from a dead owner. */
	uint32_t owner = words.kind & MUTEX_ROBUST_OR_PI ? words.lock & FUTEX_TID_MASK : words.owner;
	thread->wait_owner = thread_by_tid(snapshot, owner);
	if ((words.kind & MUTEX_SHARED) && !thread->wait_owner)
		thread->wait_unclear = true;
}

#define MUTEX_ELIDED 0x100u
#define MUTEX_ROBUST 0x10u

/* Whether that is what libc writes there: the mutex may be another process's, which has initialised it. */
static bool is_robust(const struct mutex_words *words)
{
	return words->kind <= 0x1ff && words->kind & MUTEX_ROBUST;
}

void probe_mutexes(struct snapshot *snapshot)
{
	for (uint32_t i = 0; i < snapshot->thread_count; i++)
		for (uint32_t h = 0; h < snapshot->threads[i].hold_count; h++) {
			struct rec_hold *hold = &snapshot->threads[i].holds[h];
			struct mutex_words words;
			if (hold->kind == KIND_MUTEX && hold->state == HOLD_LIVE &&
			    memory_copy(&words, hold->handle, sizeof words) &&
			    (is_robust(&words) || (!words.lock && !(words.kind & MUTEX_ELIDED))))
				hold->state = HOLD_GONE;
		}
}

/* -- locks on stacks ------------------------------------------------------- */

/* The beginning of glibc's pthread_rwlock_t. */
struct rwlock_words {
	uint32_t readers, writers, phase, writers_futex, pad[2], writer, shared;
};

/* In rwlock_words.readers: what is not the phase, which says nothing of a lock that nobody has. */
#define RWLOCK_TAKEN (~1u)
#define MUTEX_KINDS 0x1ffu
#define SPIN_FREE 1u

/*
 * Whether what lies there is a lock that nobody has: it was given back in a way that no hook sees. Where it is none,
 * other calls have written over it.
 */
static bool is_free(const struct rec_hold *hold)
{
	struct mutex_words mutex;
	struct rwlock_words rwlock;
	uint32_t spin;
	switch (hold->kind) {
	case KIND_MUTEX:
		return !memory_copy(&mutex, hold->handle, sizeof mutex) ||
		       (!mutex.lock && !mutex.count && !mutex.owner && !mutex.users &&
			mutex.kind <= MUTEX_KINDS);
	case KIND_RWLOCK:
		return !memory_copy(&rwlock, hold->handle, sizeof rwlock) ||
		       (!(rwlock.readers & RWLOCK_TAKEN) && !rwlock.writers && !rwlock.writer &&
			rwlock.shared <= 1);
	default:
		return !memory_copy(&spin, hold->handle, sizeof spin) || spin == SPIN_FREE;
	}
}

/* The last two of "202 0x7ffe... 0x80 0x2 0x0 0x0 0x0 0x7ffe... 0x7f12...". */
static uint64_t read_sp(int32_t tid)
{
	char line[256];
	uint64_t number = 0;
	if (process_read_task(0, tid, "syscall", line, sizeof line) <= 0 || line[0] < '0' || line[0] > '9')
		return 0;
	const char *at = line;
	for (unsigned i = 0; i < 8; i++)
		at = digits_either(at, &number);
	return number;
}

#define MAIN_STACK_MOST ((uint64_t)128 << 20) /* nothing else is mapped so near below its end */
#define STACK_PAIRS_MOST 65536u /* of a lock and a thread, that are compared in one look. Chosen by feel */

static bool is_on_stack(const struct snapshot *snapshot, const struct snap_thread *thread, uint64_t address)
{
	uint64_t high = thread->stack_high, low = thread->stack_low;
	if (thread->flags & THREAD_MAIN) {
		high = snapshot->view->header->main_stack_high;
		low = high - MIN_OF(high, MAIN_STACK_MOST);
	}
	return address >= low && address < high;
}

static void look_at_stack_lock(struct snapshot *snapshot, struct rec_hold *hold, unsigned *left)
{
	for (uint32_t i = 0; i < snapshot->thread_count && *left; i++) {
		struct snap_thread *thread = &snapshot->threads[i];
		--*left;
		if (!is_on_stack(snapshot, thread, hold->handle))
			continue;
		if (is_free(hold))
			hold->state = HOLD_GONE;
		else if (thread->waiting && hold->owner != thread->id && !thread->kernel_sp)
			thread->kernel_sp = read_sp(thread->tid);
		return;
	}
}

void probe_stack_locks(struct snapshot *snapshot)
{
	unsigned left = STACK_PAIRS_MOST;
	for (uint32_t i = 0; i < snapshot->thread_count; i++)
		for (uint32_t h = 0; h < snapshot->threads[i].hold_count && left; h++) {
			struct rec_hold *hold = &snapshot->threads[i].holds[h];
			if (hold->state == HOLD_LIVE &&
			    (hold->kind == KIND_MUTEX || hold->kind == KIND_RWLOCK ||
			     hold->kind == KIND_SPIN))
				look_at_stack_lock(snapshot, hold, &left);
		}
	snapshot->stack_locks_known = left;
}

/*
 * What a futex word that nobody has told of belongs to. Only where all that lies around it fits is it
 * taken for a lock of libc's: taken and waited for, and its owner a thread of this process.
 */
static void classify(const struct snapshot *snapshot, struct rec_wait *wait, const struct sleep *sleep,
		     thread_id *ret_owner)
{
	struct mutex_words mutex;
	struct stream_words stream;
	*ret_owner = 0;
	if (!memory_copy(&mutex, sleep->word, sizeof mutex))
		return;
	if (sleep->command == FUTEX_LOCK_PI || sleep->command == 13) {
		*ret_owner = thread_by_tid(snapshot, mutex.lock & FUTEX_TID_MASK);
		return;
	}
	memcpy(&stream, &mutex, sizeof stream);
	if (mutex.lock != 2)
		return;
	if ((*ret_owner = thread_by_pthread(snapshot, stream.owner))) {
		wait->kind = KIND_STREAM_LOCK;
	} else if (mutex.users && mutex.users <= snapshot->thread_count + 1u && mutex.kind <= 0xff &&
		   (*ret_owner = thread_by_tid(snapshot, mutex.owner))) {
		wait->kind = KIND_MUTEX;
	}
	if (*ret_owner)
		wait->mode = MODE_EXCLUSIVE;
}

/* -- waits that no hook saw ------------------------------------------------ */

/* Since when a thread has been seen in one place. */
struct sighting {
	int32_t tid;
	uint32_t changes;
	uint64_t word;
	nsec_t since;
	stack_id stack;
};

static struct sighting sightings[2 * PROBES]; /* by tid */

static struct sighting *sighting_of(const struct snapshot *snapshot, const struct snap_thread *thread,
				    uint64_t word)
{
	struct sighting *seen = &sightings[(uint32_t)thread->tid % COUNT_OF(sightings)];
	if (seen->tid == thread->tid && seen->changes == thread->changes && seen->word == word)
		return seen;
	*seen = (struct sighting){
		.tid = thread->tid, .changes = thread->changes, .word = word, .since = snapshot->now
	};
	if (stack_of_thread(thread->tid, &seen->stack) != 0)
		seen->stack = 0;
	return seen;
}

static void find_wait(const struct snapshot *snapshot, struct snap_thread *thread)
{
	struct sleep sleep;
	if (!read_sleep(thread->tid, &sleep) || sleep.timed)
		return;
	const struct sighting *seen = sighting_of(snapshot, thread, sleep.word);
	struct rec_wait wait = {
		.handle = sleep.word,
		.since = seen->since,
		.stack = seen->stack,
		/* Of this wait, as long as the thread has not come by a hook; no hook gives it out. */
		.serial = thread->changes | 1u << 31,
		.op = OP_futex,
		.kind = KIND_FUTEX,
	};
	classify(snapshot, &wait, &sleep, &thread->wait_owner);
	thread->wait = wait;
	thread->waiting = true;
}

static bool holds_something(const struct snap_thread *thread)
{
	for (uint32_t i = 0; i < thread->hold_count; i++)
		if (kind_has(thread->holds[i].kind, KIND_IS_BLOCKS))
			return true;
	return false;
}

static void find_waits(struct snapshot *snapshot)
{
	unsigned left = PROBES;
	for (uint32_t i = 0; i < snapshot->thread_count && left; i++) {
		struct snap_thread *thread = &snapshot->threads[i];
		if (thread->waiting || thread->torn || thread->state != THREAD_RUNNING || !thread->tid)
			continue;
		/* Of many threads only those that others may be waiting for. */
		if (snapshot->thread_count > PROBES && !holds_something(thread))
			continue;
		left--;
		find_wait(snapshot, thread);
	}
}

/* -- owners that no hook saw ----------------------------------------------- */

static bool is_old(const struct snapshot *snapshot, const struct snap_thread *thread)
{
	return thread->waiting && !thread->torn && thread->state == THREAD_RUNNING &&
	       snapshot->now > thread->wait.since && snapshot->now - thread->wait.since >= PROBE_AGE;
}

static void find_owners(struct snapshot *snapshot)
{
	for (uint32_t i = 0; i < snapshot->thread_count; i++) {
		struct snap_thread *thread = &snapshot->threads[i];
		struct sleep sleep;
		if (!is_old(snapshot, thread) || thread->wait_owner)
			continue;
		/* Only where it sleeps in that very mutex: on its way there it may be another one's already. */
		if (thread->wait.kind == KIND_MUTEX && read_sleep(thread->tid, &sleep) &&
		    sleep.word == thread->wait.handle)
			mutex_owner(snapshot, thread);
	}
}

/* -- conditions that are used wrongly, and queues of readers ------------------- */

/* One condition that threads wait for, and with which mutex the first of them does. */
struct use {
	uint64_t cond, mutex;
	bool clash; /* others do with another, or destroy it */
};

#define USES_MOST 256u

static struct use *use_of(struct use *uses, uint64_t cond)
{
	return &uses[hash_mix(cond) % USES_MOST];
}

static bool waits_in_cond(const struct snap_thread *thread)
{
	return thread->waiting && !thread->torn && thread->state == THREAD_RUNNING &&
	       thread->wait.kind == KIND_COND;
}

/* Which conditions are worth asking about. Where two share a place the second is not asked about. */
static bool find_clashes(const struct snapshot *snapshot, struct use *uses)
{
	bool any = false;
	for (uint32_t i = 0; i < snapshot->thread_count; i++) {
		const struct snap_thread *thread = &snapshot->threads[i];
		if (!waits_in_cond(thread))
			continue;
		struct use *use = use_of(uses, thread->wait.handle);
		if (!use->cond)
			*use = (struct use){ .cond = thread->wait.handle, .mutex = thread->wait.handle2 };
		else if (use->cond == thread->wait.handle && use->mutex != thread->wait.handle2)
			any = use->clash = true;
	}
	return any;
}

static bool is_asleep_in_cond(const struct snap_thread *thread)
{
	struct sleep sleep;
	const struct rec_thread *slot = view_thread(recording_view(), thread->slot);
	return read_sleep(thread->tid, &sleep) && sleep.word - thread->wait.handle < sizeof(pthread_cond_t) &&
	       atomic_load_explicit(&slot->changes, memory_order_acquire) == thread->changes;
}

/*
 * Who was asleep in one and the same wait when all were asked, and still was when they were asked again, was so in between,
 * and so were all of them.
 */
static void find_sleepers(struct snapshot *snapshot)
{
	struct use uses[USES_MOST] = { 0 };
	unsigned left = PROBES;
	if (!find_clashes(snapshot, uses))
		return;
	for (uint32_t i = 0; i < snapshot->thread_count && left; i++) {
		struct snap_thread *thread = &snapshot->threads[i];
		const struct use *use = use_of(uses, thread->wait.handle);
		if (!waits_in_cond(thread) || use->cond != thread->wait.handle || !use->clash)
			continue;
		left--;
		thread->wait_asleep = is_asleep_in_cond(thread);
	}
	for (uint32_t i = 0; i < snapshot->thread_count; i++) {
		struct snap_thread *thread = &snapshot->threads[i];
		thread->wait_asleep = thread->wait_asleep && is_asleep_in_cond(thread);
	}
}

/* Locks that no call has initialised say only themselves whether readers queue behind a waiting writer. */
static void find_queues(struct snapshot *snapshot)
{
	unsigned left = PROBES;
	for (uint32_t i = 0; i < snapshot->thread_count && left; i++) {
		struct snap_thread *thread = &snapshot->threads[i];
		uint32_t flags;
		if (thread->wait.kind != KIND_RWLOCK || thread->wait.mode != MODE_SHARED ||
		    !is_old(snapshot, thread))
			continue;
		left--;
		thread->wait_behind =
		    memory_copy(&flags, thread->wait.handle + offsetof(pthread_rwlock_t, __data.__flags),
				sizeof flags) &&
		    flags == PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP;
	}
}

/* -- whether all of the process is asleep ---------------------------------- */

#define MAPS_BYTES (1u << 20)

struct census {
	int32_t itself; /* the reporter */
	char *maps;     /* read once it is needed; NULL: not yet */
	uint64_t witness;
	bool asleep;
};

static bool is_process_memory(struct census *census, uint64_t address)
{
	if (!census->maps) {
		census->maps = sys_pages_lazy(MAPS_BYTES);
		if (!census->maps || sys_read_file("/proc/self/maps", census->maps, MAPS_BYTES) <= 0)
			return false;
	}
	return mapping_is_private_in(census->maps, address);
}

/* Asleep with no end but another thread's, no signal that would do anything; and has it run meanwhile? */
static bool task_sleeps(struct census *census, int32_t tid)
{
	char status[4096];
	struct sleep sleep;
	if (process_read_task(0, tid, "status", status, sizeof status) <= 0)
		return false;
	const char *state = digits_behind(status, "\nState:");
	const char *caught = digits_behind(status, "\nSigCgt:");
	const char *switches = digits_behind(status, "\nvoluntary_ctxt_switches:");
	const char *forced = digits_behind(status, "\nnonvoluntary_ctxt_switches:");
	if (!state || !caught || !switches || !forced)
		return false;
	if (*state == 'Z' || *state == 'X')
		return true;
	uint64_t handled;
	digits_hex(caught, &handled);
	if (*state != 'S' || (handled & ~PROCESS_SIGNALS_OF_ITSELF))
		return false;
	if (!read_sleep(tid, &sleep) || sleep.timed)
		return false;
	if (!sleep.private && !is_process_memory(census, sleep.word))
		return false;
	uint64_t counts[2];
	digits_either(switches, &counts[0]);
	digits_either(forced, &counts[1]);
	census->witness =
	    census->witness * UINT64_C(0x9e3779b97f4a7c15) + (uint64_t)tid * 31 + counts[0] * 7 + counts[1];
	return true;
}

static bool count_task(int32_t tid, void *data)
{
	struct census *census = data;
	census->asleep = tid == census->itself || task_sleeps(census, tid);
	return census->asleep;
}

static void find_rest(struct snapshot *snapshot)
{
	struct census census = { .itself = sys_tid() };
	nsec_t newest = 0;
	for (uint32_t i = 0; i < snapshot->thread_count; i++) {
		const struct snap_thread *thread = &snapshot->threads[i];
		if (thread->state == THREAD_ENDED)
			continue;
		if (!is_old(snapshot, thread) || thread->wait.timed)
			return;
		newest = MAX_OF(newest, thread->wait.since);
	}
	int fd = newest ? sys_open("/proc/self/task", O_RDONLY | O_DIRECTORY, 0) : -1;
	if (fd < 0)
		return;
	if (process_numbers(fd, count_task, &census) && census.asleep) {
		snapshot->asleep_since = newest;
		snapshot->asleep_witness = census.witness;
	}
	sys_close(fd);
	if (census.maps)
		sys_pages_free(census.maps, MAPS_BYTES);
}

/* -- all of it ------------------------------------------------------------- */

/* Waits in what another thread has to end. */
static bool somebody_waits(const struct snapshot *snapshot)
{
	for (uint32_t i = 0; i < snapshot->thread_count; i++) {
		const struct snap_thread *thread = &snapshot->threads[i];
		if (!is_old(snapshot, thread))
			continue;
		if (kind_has(thread->wait.kind, KIND_IS_BLOCKS) || thread->wait.kind == KIND_COND ||
		    thread->wait.kind == KIND_BARRIER || thread->wait.kind == KIND_FUTEX)
			return true;
	}
	return false;
}

void probe_threads(struct snapshot *snapshot)
{
	probe_file_locks(snapshot);
	find_sleepers(snapshot);
	find_queues(snapshot);
	if (!somebody_waits(snapshot))
		return;
	find_waits(snapshot);
	find_owners(snapshot);
	find_rest(snapshot);
}

void probe_fork_child(void)
{
	memset(sightings, 0, sizeof sightings);
}
