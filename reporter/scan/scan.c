#include "reporter/scan/scan.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/uio.h>

#include "base/hash.h"
#include "options.h"
#include "platform/guard.h"
#include "platform/guest.h"
#include "platform/process.h"
#include "platform/sys.h"
#include "registry/allocation.h"
#include "registry/recording.h"
#include "registry/thread.h"
#include "reporter/scan/group.h"
#include "reporter/scan/image.h"
#include "reporter/scan/resources.h"
#include "reporter/scan/roots.h"

#define STOP_LIMIT (2 * NSEC_PER_SEC)
#define FINDINGS_MOST 1000u

/* What the scan found, where a copy of the process can leave it for us. */
struct result {
	int error; /* 0: all of it was judged; -EINPROGRESS: it did not get to the end */
	uint64_t group_count;
	struct group *groups; /* room for one a site */
	uint64_t *resources;  /* the verdict on each: see resources.h */
	uint64_t bytes;       /* of the mapping */
};

struct scan {
	struct image image;
	struct result *result;
};

static struct result *result_make(const struct snapshot *snapshot)
{
	uint64_t sites = (uint64_t)view_sites(snapshot->view) + 1;
	uint64_t bytes = sizeof(struct result) + sites * sizeof(struct group) +
			 snapshot->resource_count * sizeof(uint64_t);
	long at = sys_call6(SYS_mmap, 0, (long)bytes, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	struct result *result = (unsigned long)at >= -4095ul ? NULL : (struct result *)at;
	if (!result)
		return NULL;
	result->error = -EINPROGRESS;
	result->groups = (struct group *)(result + 1);
	result->resources = (uint64_t *)(result->groups + sites);
	result->bytes = bytes;
	return result;
}

static int judge(struct scan *scan)
{
	struct image *image = &scan->image;
	struct result *result = scan->result;
	int error = image_take(image);
	if (error || !image->blocks.count)
		return error;
	struct mark mark;
	error = mark_init(&mark, &image->blocks, image->deadline);
	if (error)
		return error;
	resources_enter(image->snapshot, &image->blocks);
	error = roots_mark(image, &mark);
	if (!error && !mark.expired)
		resources_judge(image->snapshot, &mark, result->resources);
	if (mark.expired)
		error = -ETIMEDOUT;
	mark_release(&mark);
	if (error)
		return error;
	struct groups groups = { .at = result->groups,
				 .room = (uint64_t)view_sites(image->snapshot->view) + 1 };
	groups_make(&groups, &image->blocks, image->deadline);
	result->group_count = groups.count;
	return groups.failed ? -ETIMEDOUT : 0;
}

static void judge_guarded(void *data)
{
	struct scan *scan = data;
	scan->result->error = judge(scan);
	image_release(&scan->image);
}

/* A fault leaves the error in place, and memory behind that goes with the process. */
static int run(void *data)
{
	struct scan *scan = data;
	scan->result->error = -EFAULT;
	guard_call(judge_guarded, scan);
	return 0;
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

/*
 * Nothing stands still and no register is known: a copy of the process is looked at, all stacks
 * from end to end.
 */
static void run_in_copy(struct scan *scan)
{
	recording_degrade(REC_NO_PTRACE);
	scan->image.threads_known = false;
	int32_t pid = guest_fork(run, scan);
	if (pid < 0)
		recording_degrade(REC_NO_FORK);
	else
		guest_reap(pid, SCAN_LIMIT + NSEC_PER_SEC);
}

/* Return: false: judged without the registers of every thread. */
static bool run_among_threads(struct scan *scan)
{
	struct stop stop;
	int error = stop_begin(&stop, STOP_LIMIT, thread_is_busy);
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
	return process_other_tasks(sys_tid()) != 0;
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

/* -- findings -------------------------------------------------------------- */

static stack_id stack_of_site(const struct snapshot *snapshot, site_id number)
{
	const struct rec_site *site = view_site(snapshot->view, number);
	return site ? site->stack : 0;
}

/* The thread with those low bits of its id; NULL: it is gone, or it can't be told. */
static const struct snap_thread *thread_of(const struct snapshot *snapshot, const struct group *group)
{
	return group->threads_differ ? NULL : snapshot_thread(snapshot, group->thread);
}

static void report_group(const struct snapshot *snapshot, const struct group *group, bool sure,
			 struct finding_list *list)
{
	const unsigned room = 1 + GROUP_OTHERS;
	struct finding *finding =
	    finding_begin(list, sure ? FINDING_leak : FINDING_possible_leak, snapshot, room);
	if (!finding)
		return;
	stack_id stack = stack_of_site(snapshot, group->site);
	finding->key = finding->witness = hash_add(finding->kind, stack);
	finding->flags = FOUND_AT_EXIT | (group->cycle ? FOUND_CYCLE : 0) | (sure ? 0 : FOUND_DEGRADED);
	finding->amount = group->bytes;
	finding->count = group->count;
	finding->indirect = group->indirect_bytes;
	struct finding_item *item = finding_add(finding, ROLE_allocated, room);
	item->stack = stack;
	item->amount = group->bytes;
	item->flags = ITEM_SUBJECT;
	const struct snap_thread *thread = thread_of(snapshot, group);
	if (thread)
		finding_item_thread(item, thread);
	else if (!group->threads_differ)
		item->thread = group->thread;
	finding->thread = item->thread;
	for (unsigned i = 0; i < GROUP_OTHERS && group->others[i]; i++)
		finding_add(finding, ROLE_allocated, room)->stack = stack_of_site(snapshot, group->others[i]);
}

static void report_groups(const struct snapshot *snapshot, struct result *result, bool sure,
			  struct finding_list *list)
{
	struct group *groups = result->groups;
	uint64_t count = MIN_OF(result->group_count, (uint64_t)FINDINGS_MOST);
	/* Too many to be read by anybody: the small ones are one finding, of no stack. */
	for (uint64_t i = count; i < result->group_count; i++) {
		struct group *rest = &groups[count - 1];
		rest->site = 0;
		rest->threads_differ = true;
		rest->bytes += groups[i].bytes;
		rest->count += groups[i].count;
		rest->indirect_bytes += groups[i].indirect_bytes;
		rest->others[0] = 0;
	}
	for (uint64_t i = 0; i < count; i++)
		report_group(snapshot, &groups[i], sure, list);
}

static void degrade_for(int error)
{
	recording_degrade(error == -ETIMEDOUT || error == -EINPROGRESS ? REC_SCAN_TIMEOUT : REC_NO_SCAN);
}

/* Whether anything is to be judged by reachability. */
static bool is_wanted(const struct snapshot *snapshot)
{
	if (snapshot->view->header->flags & REC_ALLOC_OFF)
		return false;
	/* Where nothing was ever allocated nothing is lost: `true`, and much else that scripts run. */
	if (options.leaks_at_exit && (snapshot->live_blocks || snapshot->total_blocks))
		return true;
	for (uint32_t i = 0; i < snapshot->resource_count; i++)
		if (kind_has(snapshot->resources[i].kind, KIND_IS_MEMORY))
			return true;
	return false;
}

void scan_at_end(const struct snapshot *snapshot, const struct scan_caller *caller, struct finding_list *list)
{
	struct scan scan = { .image = { .snapshot = snapshot, .caller = caller } };
	scan.result = is_wanted(snapshot) ? result_make(snapshot) : NULL;
	const uint64_t *resources = NULL;
	bool sure = true;
	if (scan.result) {
		scan.image.shared =
		    (struct range){ (uint64_t)scan.result, (uint64_t)scan.result + scan.result->bytes };
		scan.image.deadline = sys_monotonic() + SCAN_LIMIT;
		scan.image.heap_partial = allocation_partial();
		scan.image.threads_known = true;
		sure = run_undisturbed(&scan);
		if (scan.result->error)
			degrade_for(scan.result->error);
		else
			resources = scan.result->resources;
		if (!scan.result->error && options.leaks_at_exit)
			report_groups(snapshot, scan.result, sure, list);
	} else if (is_wanted(snapshot)) {
		recording_degrade(REC_NO_SCAN);
	}
	resources_report(snapshot, resources, sys_tid(), FOUND_AT_EXIT | (sure ? 0 : FOUND_DEGRADED), list);
	if (scan.result)
		sys_call2(SYS_munmap, scan.result, scan.result->bytes);
}
