#include "reporter/scan/scan.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/uio.h>

#include "options.h"
#include "platform/guest.h"
#include "platform/process.h"
#include "platform/sys.h"
#include "platform/unforked.h"
#include "registry/allocation.h"
#include "registry/recording.h"
#include "registry/thread.h"
#include "reporter/scan/asleep.h"
#include "reporter/scan/image.h"
#include "reporter/scan/resources.h"
#include "reporter/scan/verdict.h"

#define STOP_LIMIT (2 * NSEC_PER_SEC)

struct scan {
	struct image image;
	struct verdict *verdict;
	struct unforked unforked;
};

static int run(void *data)
{
	struct scan *scan = data;
	verdict_reach(scan->verdict, &scan->image, NULL);
	return 0;
}

static void scan_share(struct scan *scan, struct verdict *verdict)
{
	scan->verdict = verdict;
	scan->image.shared[0] = (struct range){ (uint64_t)verdict, (uint64_t)verdict + verdict->bytes };
}

/* -- other threads --------------------------------------------------------- */

/*
 * Whether the thread with that pointer is inside of the allocator or of the registry: the same
 * distance from it as our own state lies from ours. Read by the kernel, since a thread that libc did not
 * make can have anything for a pointer.
 */
static bool thread_is_busy(uint64_t pointer)
{
	uint64_t own;
	__asm__("mov %%fs:0, %0" : "=r"(own));
	uint32_t busy = 0;
	struct iovec to = { &busy, sizeof busy };
	struct iovec from = { (void *)(pointer + ((uint64_t)(uintptr_t)&self.busy - own)), sizeof busy };
	long got = sys_call6(SYS_process_vm_readv, sys_pid(), (long)&to, 1, (long)&from, 1, 0);
	return got == (long)sizeof busy && busy;
}

static bool any_busy(const struct stop *stop)
{
	for (uint64_t i = 0; i < stop->count; i++)
		if (stop->threads[i].words && stop->threads[i].busy)
			return true;
	return false;
}

static int run_copy(void *data)
{
	struct scan *scan = data;
	unforked_restore(&scan->unforked);
	return run(data);
}

static bool is_dumpable(void)
{
	return sys_call1(SYS_prctl, PR_GET_DUMPABLE) == 1;
}

/* Of the calling thread: what stands still, or sleeps, may run on as soon as it is made. Return: its pid, or -errno. */
static int32_t make_copy(struct scan *scan)
{
	/* Who may not be traced may not be asked by its copy either. */
	if (is_dumpable())
		scan->image.process = sys_pid();
	int error = unforked_save(&scan->unforked);
	int32_t pid = error ? error : guest_fork(run_copy, scan, false);
	unforked_release(&scan->unforked);
	scan->image.process = 0;
	return pid;
}

/*
 * Nothing stands still and no register is known: a copy of the process is looked at, all stacks
 * from end to end.
 */
static void run_in_copy(struct scan *scan)
{
	recording_degrade(REC_NO_PTRACE);
	scan->image.threads_known = false;
	int32_t pid = make_copy(scan);
	if (pid < 0)
		recording_degrade(REC_NO_FORK);
	else
		guest_reap(pid, SCAN_LIMIT + NSEC_PER_SEC, NULL);
}

/*
 * Some sleep and were not touched: they could run at any time, so a copy is looked at, which has what they had when it was made.
 * Return: false: one of them ran meanwhile, or there is no copy, and nothing was judged.
 */
static bool run_beside_sleepers(struct scan *scan, struct stop *stop)
{
	scan->image.stop = stop;
	scan->image.threads_known = true;
	int32_t pid = make_copy(scan);
	bool known = pid >= 0 && stop_slept(stop) && stop_holds(stop) && !any_busy(stop);
	scan->image.stop = NULL;
	stop_end(stop);
	if (pid >= 0 && !known)
		sys_call2(SYS_kill, pid, SIGKILL);
	if (pid >= 0)
		guest_reap(pid, SCAN_LIMIT + NSEC_PER_SEC, NULL);
	return known;
}

/* A new verdict for one that was half reached. Return: false: there is no memory for it. */
static bool begin_anew(struct scan *scan)
{
	struct verdict *verdict = verdict_make(scan->image.snapshot, 0);
	if (!verdict)
		return false;
	verdict->lost_from = scan->verdict->lost_from;
	verdict_free(scan->verdict);
	scan_share(scan, verdict);
	return true;
}

/* Return: false: judged without the registers of every thread. */
static bool run_among_threads(struct scan *scan)
{
	struct stop stop;
	int error = stop_begin(&stop, STOP_LIMIT, thread_is_busy, is_dumpable() ? asleep_known : NULL);
	if (!error && stop.spared) {
		if (run_beside_sleepers(scan, &stop))
			return true;
		if (!begin_anew(scan))
			return false;
		error = stop_begin(&stop, STOP_LIMIT, thread_is_busy, NULL);
	}
	if (error) {
		run_in_copy(scan);
		return false;
	}
	scan->image.stop = &stop;
	scan->image.threads_known = true;
	bool sure = !any_busy(&stop);
	run(scan);
	sure = sure && stop_holds(&stop);
	stop_end(&stop);
	scan->image.stop = NULL;
	return sure;
}

/* Whether this process has threads besides the calling one; if that can't be known: yes. */
static bool has_other_threads(void)
{
	return process_threads() != 1;
}

/*
 * What can be judged, with signals blocked: a handler of the program's would change what is being looked at,
 * wait for a thread that stands still, or run in the copy.
 */
static bool run_undisturbed(struct scan *scan)
{
	uint64_t all = ~UINT64_C(0), before;
	sys_call4(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before, sizeof all);
	bool sure = true;
	if (has_other_threads())
		sure = run_among_threads(scan);
	else
		run(scan);
	sys_call4(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, sizeof before);
	return sure;
}

/* -- the end --------------------------------------------------------------- */

/* Whether anything is to be judged by reachability. */
static bool is_wanted(const struct snapshot *snapshot)
{
	if (snapshot->view->header->flags & REC_ALLOC_OFF)
		return false;
	/* Where nothing was ever allocated nothing is lost: `true`, and much else that scripts run. */
	if (options.leaks_at_exit && (snapshot->live_blocks || snapshot->total_blocks))
		return true;
	for (uint32_t i = 0; i < snapshot->resource_count; i++)
		if (kind_has(snapshot->resources[i].kind, KIND_IS_MEMORY) ||
		    snapshot->resources[i].kind == KIND_DESCRIPTOR ||
		    snapshot->resources[i].kind == KIND_MAPPING)
			return true;
	return false;
}

void scan_at_end(const struct snapshot *snapshot, const struct scan_caller *caller, struct finding_list *list)
{
	struct scan scan = { .image = { .snapshot = snapshot, .caller = caller } };
	struct verdict *verdict = is_wanted(snapshot) ? verdict_make(snapshot, 0) : NULL;
	const uint64_t *resources = NULL;
	bool sure = true;
	if (verdict) {
		scan_share(&scan, verdict);
		scan.image.deadline = sys_monotonic() + SCAN_LIMIT;
		scan.image.heap_partial = allocation_partial();
		scan.image.threads_known = true;
		sure = run_undisturbed(&scan);
		verdict = scan.verdict;
		struct verdict_manner manner = { sure ? FINDING_leak : FINDING_possible_leak,
						 FOUND_AT_EXIT | (sure ? 0 : FOUND_DEGRADED),
						 scan.image.threads_known ? 0 : verdict_unread() };
		if (verdict->error)
			verdict_degrade(verdict->error);
		else
			resources = verdict->resources;
		if (verdict->inner_error)
			verdict_degrade(verdict->inner_error);
		if (!verdict->error && options.leaks_at_exit)
			verdict_report(verdict, snapshot, manner, list);
	} else if (is_wanted(snapshot)) {
		recording_degrade(REC_NO_SCAN);
	}
	resources_report(snapshot, resources, sys_tid(), FOUND_AT_EXIT | (sure ? 0 : FOUND_DEGRADED), list);
	verdict_free(verdict);
}

/* -- in the middle --------------------------------------------------------- */

static bool is_since(const struct allocation *allocation, void *data)
{
	uint32_t *era = data;
	if (allocation->born < *era)
		return true;
	*era = 0;
	return false;
}

/* Whether anything was made in `era` or later, and is live: mostly that is all there is to be asked. */
static bool is_anything_since(uint32_t era)
{
	allocation_each(is_since, &era);
	return era == 0;
}

size_t scan_lost_since(const struct scan_caller *caller, uint32_t era)
{
	if (recording->flags & REC_ALLOC_OFF || !is_anything_since(era))
		return 0;
	struct arena arena = { .more = sys_pages, .less = sys_pages_free };
	struct snapshot snapshot;
	snapshot_take(recording_view(), sys_monotonic(), &arena, &snapshot);
	struct verdict *verdict = verdict_make(&snapshot, 0);
	size_t lost = 0;
	if (verdict) {
		verdict->lost_from = era;
		struct scan scan = {
			.image = { .snapshot = &snapshot,
				   .caller = caller,
				   .threads_known = true,
				   .heap_partial = allocation_partial(),
				   .deadline = sys_monotonic() + SCAN_LIMIT },
		};
		scan_share(&scan, verdict);
		if (run_undisturbed(&scan) && !scan.verdict->error)
			lost = scan.verdict->lost_bytes;
		verdict_free(scan.verdict);
	}
	arena_release(&arena);
	return lost;
}
