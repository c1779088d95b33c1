#include "reporter/scan/live.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#include "base/digits.h"
#include "options.h"
#include "platform/guest.h"
#include "platform/sys.h"
#include "registry/alert.h"
#include "registry/allocation.h"
#include "registry/recording.h"
#include "reporter/scan/asleep.h"
#include "reporter/scan/verdict.h"
#include "reporter/scan/wakers.h"

/* For one image, at the lowest priority on a busy machine. */
#define LOOK_LIMIT (120 * NSEC_PER_SEC)
/* In which threads come to a stop that sleep or run; who does not, is in the middle of something that can't be interrupted. */
#define STOP_LIMIT (20 * NSEC_PER_MSEC)
#define STOP_TRIES 20u
/* So often nobody is stopped who sleeps; then all are: some run every few moments. */
#define SPARE_TRIES 4u
#define STOP_AGAIN (25 * NSEC_PER_MSEC)
/* From one image to the next: by then a pointer that was on its way has arrived. Chosen by feel. */
#define LOOK_AGAIN (300 * NSEC_PER_MSEC)
#define POLL_IMAGE (5 * NSEC_PER_MSEC)
/* Bytes that a scan needs for a block, with its part of the index, and what the program may write meanwhile. */
#define SCAN_BYTES_PER_BLOCK ((uint64_t)64)

#define LOOKS 2u
#define LOOKS_UNSTOPPED 5u

/* What the present look finds, and what the one before it found; NULL: there was none. */
static struct verdict **present(struct live *live)
{
	return &live->verdicts[live->look % 2];
}

static struct verdict **former(struct live *live)
{
	return &live->verdicts[(live->look + 1) % 2];
}

static bool is_last_look(const struct live *live)
{
	return live->look + 1 >= (live->stopped ? LOOKS : LOOKS_UNSTOPPED);
}

/* Where somebody waits for it, a tenth of a processor on a busy machine; else what nobody wants. */
#define NICE_URGENT 10
#define NICE 19

/* -- in the image ------------------------------------------------------------ */

static void be_nice(bool urgent)
{
	sys_call3(SYS_setpriority, PRIO_PROCESS, 0, urgent ? NICE_URGENT : NICE);
	/* It goes with the reporter thread; and if memory gets scarce, before anything else. */
	sys_call2(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL);
	int fd = sys_open("/proc/self/oom_score_adj", O_WRONLY, 0);
	if (fd >= 0) {
		sys_write_all(fd, "1000", 4);
		sys_close(fd);
	}
}

static nsec_t cpu_time(void)
{
	struct timespec time = { 0 };
	sys_call2(SYS_clock_gettime, CLOCK_PROCESS_CPUTIME_ID, &time);
	return (nsec_t)time.tv_sec * NSEC_PER_SEC + (nsec_t)time.tv_nsec;
}

static int look(void *data)
{
	struct live *live = data;
	struct verdict *verdict = *present(live);
	be_nice(live->by_request);
	unforked_restore(&live->unforked);
	struct image image = {
		.snapshot = &live->snapshot,
		.stop = live->stopped ? &live->stop : NULL,
		.threads_known = live->stopped,
		.process = recording->pid,
		.channels = live->channels,
		.heap_partial = allocation_partial(),
		.deadline = sys_monotonic() + LOOK_LIMIT,
	};
	for (unsigned i = 0; i < COUNT_OF(image.shared); i++)
		if (live->verdicts[i])
			image.shared[i] =
			    (struct range){ (uint64_t)live->verdicts[i],
					    (uint64_t)live->verdicts[i] + live->verdicts[i]->bytes };
	verdict_reach(verdict, &image, *former(live));
	verdict->cpu = cpu_time();
	return 0;
}

/* -- making one --------------------------------------------------------------- */

static void release(struct live *live)
{
	for (unsigned i = 0; i < COUNT_OF(live->verdicts); i++) {
		verdict_free(live->verdicts[i]);
		live->verdicts[i] = NULL;
	}
	arena_release(&live->arena);
	live->stage = LIVE_IDLE;
}

/* Tells who asks. */
static void answer(struct live *live, int error)
{
	struct rec_scan *scan = &recording->scan;
	const struct verdict *verdict = *present(live);
	nsec_t now = sys_monotonic();
	scan->error = error;
	scan->degraded = live->degraded;
	scan->images = live->images;
	scan->pause = live->pause;
	scan->fork = live->fork;
	scan->took = now - live->begun;
	scan->cpu = live->cpu;
	scan->blocks = verdict ? verdict->block_count : 0;
	scan->bytes = verdict ? verdict->block_bytes : 0;
	scan->read_bytes = verdict ? verdict->read_bytes : 0;
	scan->memory = live->memory;
	atomic_store_explicit(&scan->done, live->request, memory_order_release);
	live->last = now;
	release(live);
}

static void fail(struct live *live, int error, uint32_t why)
{
	live->degraded |= why;
	recording_degrade(why);
	answer(live, error);
}

/* Bytes that could be had without hurting anybody, by the kernel's own estimate; UINT64_MAX: it does not say. */
static uint64_t memory_available(void)
{
	char text[512];
	if (sys_read_file("/proc/meminfo", text, sizeof text) < 0)
		return UINT64_MAX;
	const char *at = digits_behind(text, "\nMemAvailable:");
	if (!at)
		return UINT64_MAX;
	uint64_t kilobytes;
	digits_decimal(at, &kilobytes);
	return kilobytes * 1024;
}

static bool is_too_much(void)
{
	return allocation_count() * SCAN_BYTES_PER_BLOCK > memory_available() / 2;
}

static void make_image(struct live *live, bool by_tracer)
{
	int error = unforked_save(&live->unforked);
	nsec_t from = sys_monotonic();
	live->image = error ? error : guest_fork(look, live, by_tracer);
	live->forking = sys_monotonic() - from;
	/* What takes the place of a block freed from now on was born in another era. */
	if (live->image > 0)
		atomic_fetch_add_explicit(&recording->era, 1, memory_order_relaxed);
}

static void make_image_of_held(void *data)
{
	make_image(data, true);
}

/* It shows somebody in the middle of what is not known of him. */
static void drop_image(struct live *live)
{
	if (live->image > 0) {
		sys_call2(SYS_kill, live->image, SIGKILL);
		guest_reap(live->image, NSEC_PER_SEC, NULL);
	}
	live->image = 0;
}

/*
 * While all threads are held or sleep, and so their registers known, where that is allowed. Return: false: one of them could
 * not be interrupted just now, or woke up; to be tried again.
 */
static bool try_image(struct live *live)
{
	stop_knows *knows = live->tries < SPARE_TRIES ? asleep_known : NULL;
	int error =
	    live->stopped ? stop_while(&live->stop, STOP_LIMIT, make_image_of_held, live, knows) : -EPERM;
	if (!error && !live->stop.slept) {
		stop_release(&live->stop);
		drop_image(live);
		error = -EBUSY;
	}
	if (!error) {
		live->pause = MAX_OF(live->pause, live->stop.to - live->stop.from);
		live->fork = MAX_OF(live->fork, live->forking);
		stop_release(&live->stop);
		return true;
	}
	if ((error == -ETIMEDOUT || error == -EBUSY) && ++live->tries < STOP_TRIES) {
		live->due = sys_monotonic() + STOP_AGAIN;
		return false;
	}
	live->stopped = false;
	live->degraded |= REC_NO_PTRACE;
	recording_degrade(REC_NO_PTRACE);
	make_image(live, false);
	live->pause = MAX_OF(live->pause, live->forking);
	live->fork = MAX_OF(live->fork, live->forking);
	return true;
}

static bool make_some_image(struct live *live)
{
	unforked_prepare(&live->unforked);
	bool made = try_image(live);
	/* Giving it back takes its time, too: not while the program stands still. */
	unforked_release(&live->unforked);
	return made;
}

static void begin_look(struct live *live)
{
	arena_reset(&live->arena);
	snapshot_take(recording_view(), sys_monotonic(), &live->arena, &live->snapshot);
	live->channels = orphans_possible(&live->snapshot) ? channels_look() : CHANNELS_UNKNOWN;
	struct verdict **verdict = present(live);
	uint64_t room = *former(live)
			    ? (*former(live))->suspect_count + (*former(live))->inner_suspect_count + 1
			    : allocation_count() + 65536;
	if ((is_too_much() || !(*verdict = verdict_make(&live->snapshot, room)))) {
		fail(live, -ENOMEM, REC_NO_SCAN);
		return;
	}
	if (!make_some_image(live)) {
		/* The next try takes a snapshot of its own, which may have more sites. */
		verdict_free(*verdict);
		*verdict = NULL;
		return;
	}
	if (live->image < 0) {
		fail(live, live->image, live->image == -E2BIG ? REC_NO_SCAN : REC_NO_FORK);
		return;
	}
	live->images++;
	live->stage = LIVE_LOOKING;
}

/* -- findings ------------------------------------------------------------------ */

static bool is_of_scan(const struct finding *finding)
{
	return finding_kind_is_sought(finding->kind) && !(finding->flags & FOUND_AT_EXIT);
}

/* The newest entry of the log about the same; NULL: none. */
static const struct finding *told_before(const struct finding *finding, bool by_request)
{
	const struct finding *newest = NULL;
	for (const struct finding *told = NULL; (told = finding_next(recording_view(), told));)
		if (is_of_scan(told) && told->kind == finding->kind && told->key == finding->key &&
		    (by_request || !(told->flags & FOUND_ON_REQUEST)))
			newest = told;
	return newest;
}

/* Who asks wants to know how it is now; nobody wants to be told every five minutes that it is a bit more. */
static bool is_news(const struct finding *finding, const struct finding *told, bool by_request)
{
	if (!told || told->flags & FOUND_OVER)
		return true;
	if (by_request)
		return told->amount != finding->amount || told->count != finding->count ||
		       told->indirect != finding->indirect;
	if (finding->kind == FINDING_orphan_thread)
		return finding->count > told->count;
	if (finding->kind == FINDING_iterator_leak)
		return finding->count >= 2 * told->count;
	return finding->amount + finding->indirect >= 2 * (told->amount + told->indirect);
}

static void append(const struct finding *finding)
{
	alert_append(finding, finding->bytes, offsetof(struct finding, number));
}

static bool is_in(const struct finding_list *list, const struct finding *finding)
{
	for (uint32_t i = 0; i < list->count; i++)
		if (list->found[i]->kind == finding->kind && list->found[i]->key == finding->key)
			return true;
	return false;
}

/* What an earlier scan told and this one can't find any more. */
static void append_over(const struct finding_list *list, nsec_t now)
{
	uint32_t known = atomic_load_explicit(&recording->alerts, memory_order_relaxed);
	const struct finding *told = NULL;
	for (uint32_t i = 0; i < known && (told = finding_next(recording_view(), told)); i++) {
		if (!is_of_scan(told) || told->flags & FOUND_OVER || is_in(list, told) ||
		    told_before(told, true) != told)
			continue;
		struct finding over = *told;
		over.bytes = sizeof over;
		over.item_count = 0;
		over.flags |= FOUND_OVER;
		over.over = now;
		append(&over);
	}
}

static void report(struct live *live)
{
	const struct verdict *verdict = *present(live);
	struct finding_list list = { .arena = &live->arena };
	nsec_t now = sys_monotonic();
	snapshot_take(recording_view(), now, &live->arena, &live->snapshot);
	struct verdict_manner manner = { live->stopped ? FINDING_leak : FINDING_possible_leak,
					 live->stopped ? 0 : FOUND_DEGRADED,
					 live->stopped ? 0 : verdict_unread() };
	if (live->by_request)
		manner.flags |= FOUND_ON_REQUEST;
	verdict_report(verdict, &live->snapshot, manner, &list);
	list.incomplete |= verdict->inner_error != 0;
	for (uint32_t i = 0; i < list.count; i++) {
		const struct finding *told = told_before(list.found[i], live->by_request);
		if (!is_news(list.found[i], told, live->by_request))
			continue;
		list.found[i]->flags |= told ? FOUND_UPDATE : 0;
		append(list.found[i]);
	}
	if (!list.incomplete)
		append_over(&list, now);
}

/* -- step by step --------------------------------------------------------------- */

static void conclude(struct live *live)
{
	const struct verdict *verdict = *present(live);
	live->cpu += verdict->cpu;
	live->memory = MAX_OF(live->memory, verdict->memory);
	live->image = 0;
	if (verdict->error) {
		live->degraded |= verdict_degrade(verdict->error);
		answer(live, verdict->error);
		return;
	}
	if (verdict->inner_error)
		live->degraded |= verdict_degrade(verdict->inner_error);
	if (!is_last_look(live) &&
	    (verdict->suspect_count || verdict->inner_suspect_count || verdict->orphans.count ||
	     verdict->ghosts.count || verdict->mappings.count || verdict->lost.count)) {
		verdict_free(*former(live));
		*former(live) = NULL;
		live->look++;
		live->stage = LIVE_TO_LOOK;
		live->due = sys_monotonic() + LOOK_AGAIN;
		return;
	}
	report(live);
	answer(live, 0);
}

static void begin(struct live *live, uint32_t request, bool by_request)
{
	live->stage = LIVE_TO_LOOK;
	live->look = 0;
	live->by_request = by_request;
	live->request = request;
	live->begun = live->due = sys_monotonic();
	live->tries = 0;
	live->stopped = true;
	live->degraded = live->images = 0;
	live->pause = live->fork = live->cpu = 0;
	live->memory = 0;
	live->arena.more = sys_pages;
	live->arena.less = sys_pages_free;
	atomic_store_explicit(&recording->scan.begun, request, memory_order_release);
}

static bool is_due(struct live *live, nsec_t now)
{
	if (!options.leaks_every)
		return false;
	if (!live->last)
		live->last = now;
	return now - live->last >= options.leaks_every;
}

bool live_step(struct live *live)
{
	if (live->stage == LIVE_IDLE) {
		uint32_t wanted = atomic_load_explicit(&recording->scan.wanted, memory_order_acquire);
		bool asked = wanted != atomic_load_explicit(&recording->scan.done, memory_order_relaxed);
		if (!asked && !is_due(live, sys_monotonic()))
			return false;
		begin(live, wanted, asked);
		if (recording->flags & REC_ALLOC_OFF) {
			fail(live, -ENODATA, REC_NO_SCAN);
			return asked;
		}
	}
	if (live->stage == LIVE_TO_LOOK && sys_monotonic() >= live->due)
		begin_look(live);
	else if (live->stage == LIVE_LOOKING) {
		int status;
		long got = sys_call4(SYS_wait4, live->image, &status, __WALL | WNOHANG, NULL);
		if (got != 0 && got != -EINTR)
			conclude(live);
	}
	return live->stage == LIVE_IDLE && live->by_request;
}

nsec_t live_wait(const struct live *live)
{
	nsec_t now = sys_monotonic();
	switch (live->stage) {
	case LIVE_LOOKING:
		return POLL_IMAGE;
	case LIVE_TO_LOOK:
		return live->due > now ? live->due - now : 1;
	default:
		break;
	}
	if (!options.leaks_every)
		return UINT64_MAX;
	nsec_t due = live->last + options.leaks_every;
	return !live->last || due <= now ? 1 : due - now;
}

void live_cancel(struct live *live)
{
	if (live->stage == LIVE_IDLE)
		return;
	if (live->stage == LIVE_LOOKING)
		drop_image(live);
	live->image = 0;
	answer(live, -ECANCELED);
}

void live_fork_child(struct live *live)
{
	release(live);
	memset(live, 0, sizeof *live);
}
