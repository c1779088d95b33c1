#include "reporter/asked.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#include "platform/guest.h"
#include "platform/sys.h"
#include "registry/allocation.h"
#include "registry/recording.h"
#include "reporter/scan/asleep.h"
#include "reporter/scan/why.h"
#include "stack/stack.h"

#define ANSWER_LIMIT (120 * NSEC_PER_SEC)
#define STOP_LIMIT (20 * NSEC_PER_MSEC)
#define STOP_TRIES 20u
#define STOP_AGAIN (25 * NSEC_PER_MSEC)
/* So often nobody is stopped who sleeps. */
#define SPARE_TRIES 4u
#define POLL_IMAGE (5 * NSEC_PER_MSEC)

/* Of threads that no hook saw waiting; each costs some file of /proc. */
#define STACKS_LOOKED_UP 64u

/* -- in the image ------------------------------------------------------------ */

static nsec_t cpu_time(void)
{
	struct timespec time = { 0 };
	sys_call2(SYS_clock_gettime, CLOCK_PROCESS_CPUTIME_ID, &time);
	return (nsec_t)time.tv_sec * NSEC_PER_SEC + (nsec_t)time.tv_nsec;
}

/* Where the threads that were held were: known before, by number of the kernel's. */
static stack_id stack_before(const struct asked *asked, int32_t tid)
{
	for (uint32_t i = 0; asked->stacks && i < asked->snapshot.thread_count; i++)
		if (asked->snapshot.threads[i].tid == tid)
			return asked->stacks[i];
	return 0;
}

static int look(void *data)
{
	struct asked *asked = data;
	sys_call3(SYS_setpriority, PRIO_PROCESS, 0, 10);
	sys_call2(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL);
	unforked_restore(&asked->unforked);
	struct image image = {
		.snapshot = &asked->snapshot,
		.stop = asked->stopped ? &asked->stop : NULL,
		.threads_known = asked->stopped,
		.process = recording->pid,
		.heap_partial = allocation_partial(),
		.deadline = sys_monotonic() + ANSWER_LIMIT,
		.shared[0] = { (uint64_t)asked->answer, (uint64_t)(asked->answer + 1) },
	};
	uint64_t count = asked->stopped ? asked->stop.count : 0;
	stack_id *stacks = sys_pages_lazy((count + 1) * sizeof *stacks);
	for (uint64_t i = 0; stacks && i < count; i++)
		stacks[i] = stack_before(asked, asked->stop.threads[i].tid);
	struct why why = { .image = &image, .stacks = stacks, .answer = asked->answer };
	why_answer(&why);
	asked->answer->cpu = cpu_time();
	return 0;
}

/* -- making it --------------------------------------------------------------- */

static void release(struct asked *asked)
{
	if (asked->answer)
		sys_call2(SYS_munmap, asked->answer, sizeof *asked->answer);
	stop_release(&asked->stop);
	arena_release(&asked->arena);
	memset(asked, 0, sizeof *asked);
}

static void answer(struct asked *asked, int error)
{
	struct rec_table *table = &recording->tables[REC_WHY];
	struct rec_why *into = recording_table(REC_WHY);
	uint32_t request = asked->request;
	if (recording_reserve(REC_WHY, table->capacity)) {
		if (asked->answer && !error)
			memcpy(into, asked->answer, sizeof *into);
		else
			*into = (struct rec_why){ .error = error };
		into->number = request;
		into->what = asked->what;
		into->value = asked->value;
		into->degraded = asked->stopped ? 0 : REC_NO_PTRACE;
		into->pause = asked->pause;
		into->took = sys_monotonic() - asked->from;
		atomic_store_explicit(&table->used, sizeof *into, memory_order_release);
	}
	release(asked);
	atomic_store_explicit(&recording->why.done, request, memory_order_release);
}

static void make_image(void *data)
{
	struct asked *asked = data;
	nsec_t from = sys_monotonic();
	int error = unforked_save(&asked->unforked);
	asked->image = error ? error : guest_fork(look, asked, asked->stopped);
	unforked_release(&asked->unforked);
	if (!asked->stopped)
		asked->pause = sys_monotonic() - from;
}

/* Where the threads are, as far as that is known without stopping them. */
static void look_at_stacks(struct asked *asked)
{
	uint32_t left = STACKS_LOOKED_UP;
	asked->stacks = arena_array(&asked->arena, asked->snapshot.thread_count, sizeof *asked->stacks);
	for (uint32_t i = 0; asked->stacks && i < asked->snapshot.thread_count; i++) {
		const struct snap_thread *thread = &asked->snapshot.threads[i];
		if (thread->waiting)
			asked->stacks[i] = thread->wait.stack;
		else if (left && thread->state == THREAD_RUNNING && left--)
			stack_of_thread(thread->tid, &asked->stacks[i]);
	}
}

static void drop_image(struct asked *asked)
{
	if (asked->image > 0) {
		sys_call2(SYS_kill, asked->image, SIGKILL);
		guest_reap(asked->image, NSEC_PER_SEC, NULL);
	}
	asked->image = 0;
}

static bool has_room(void)
{
	/* Its index of blocks, and for each where it was come from, twice in turn. */
	return allocation_count() * 64 < sys_memory_total() / 2;
}

static void begin(struct asked *asked, uint32_t request)
{
	asked->begun = true;
	asked->request = request;
	asked->what = recording->why.what;
	asked->value = recording->why.value;
	asked->from = asked->due = sys_monotonic();
	asked->stopped = true;
	asked->arena.more = sys_pages;
	asked->arena.less = sys_pages_free;
	atomic_store_explicit(&recording->why.begun, request, memory_order_release);
	long at = sys_call6(SYS_mmap, 0, sizeof *asked->answer, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	asked->answer = (unsigned long)at >= -4095ul ? NULL : (struct rec_why *)at;
	if (recording->flags & REC_ALLOC_OFF)
		answer(asked, -ENODATA);
	else if (!asked->answer || !has_room())
		answer(asked, -ENOMEM);
}

static void make_some_image(struct asked *asked)
{
	arena_reset(&asked->arena);
	snapshot_take(recording_view(), sys_monotonic(), &asked->arena, &asked->snapshot);
	look_at_stacks(asked);
	asked->answer->what = asked->what;
	asked->answer->value = asked->value;
	asked->answer->error = -EINPROGRESS;
	stop_knows *knows = asked->tries < SPARE_TRIES ? asleep_known : NULL;
	int error = asked->stopped ? stop_while(&asked->stop, STOP_LIMIT, make_image, asked, knows) : -EPERM;
	if (!error && !asked->stop.slept) {
		stop_release(&asked->stop);
		drop_image(asked);
		error = -ETIMEDOUT;
	}
	if (!error) {
		asked->pause = asked->stop.to - asked->stop.from;
	} else if (error == -ETIMEDOUT && ++asked->tries < STOP_TRIES) {
		asked->due = sys_monotonic() + STOP_AGAIN;
		return;
	} else {
		asked->stopped = false;
		make_image(asked);
	}
	if (asked->image < 0)
		answer(asked, asked->image);
}

void asked_step(struct asked *asked)
{
	if (!asked->begun) {
		uint32_t wanted = atomic_load_explicit(&recording->why.wanted, memory_order_acquire);
		if (wanted == atomic_load_explicit(&recording->why.done, memory_order_relaxed))
			return;
		begin(asked, wanted);
	}
	if (!asked->begun)
		return;
	if (!asked->image && sys_monotonic() >= asked->due)
		make_some_image(asked);
	if (!asked->begun || asked->image <= 0)
		return;
	int status;
	long got = sys_call4(SYS_wait4, asked->image, &status, __WALL | WNOHANG, NULL);
	if (got != 0 && got != -EINTR)
		answer(asked, asked->answer->error);
}

nsec_t asked_wait(const struct asked *asked)
{
	if (!asked->begun)
		return UINT64_MAX;
	if (asked->image > 0)
		return POLL_IMAGE;
	nsec_t now = sys_monotonic();
	return asked->due > now ? asked->due - now : 1;
}

void asked_cancel(struct asked *asked)
{
	if (!asked->begun)
		return;
	drop_image(asked);
	answer(asked, -ECANCELED);
}

void asked_fork_child(struct asked *asked)
{
	release(asked);
}
