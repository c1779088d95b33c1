#include "reporter/watchdog.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "options.h"
#include "platform/guest.h"
#include "platform/process.h"
#include "platform/sys.h"
#include "platform/trim.h"
#include "registry/alert.h"
#include "registry/allocation.h"
#include "registry/clock.h"
#include "registry/contention.h"
#include "registry/hold.h"
#include "registry/iteration.h"
#include "registry/overhead.h"
#include "registry/recording.h"
#include "registry/span.h"
#include "registry/stack_depth.h"
#include "registry/thread.h"
#include "reporter/arenas.h"
#include "reporter/asked.h"
#include "reporter/detect/detect.h"
#include "reporter/growth_clock.h"
#include "reporter/incident.h"
#include "reporter/places.h"
#include "reporter/probe.h"
#include "reporter/scan/live.h"
#include "reporter/teller.h"
#include "stack/stack.h"

static struct guest guest;
static int32_t last_task; /* of the guest before this one: a listing that was begun then has it */
static uint32_t resting;  /* asleep between two ticks, with no search begun */
static uint32_t stopping; /* seen when the sleep between two ticks ends */
static uint32_t looks_wanted;
static uint32_t told_misuse; /* futex word: of rec_header.misuse_news, what has been told, and acted upon */

/* Time in which the whole process stood still (SIGSTOP, suspend, a debugger, no processor). */
struct stall {
	nsec_t from, to;
};

#define STALLS 16u /* that are remembered; chosen somewhat arbitrarily */
#define STALL_LEAST (500 * NSEC_PER_MSEC)

struct watch {
	/*
	 * They take turns, one a tick: what the incidents remember of the last look lies in the other.
	 * Incidents that last keep copies of their own.
	 */
	struct arena arenas[2];
	struct incidents incidents;
	void *incident_memory;
	unsigned turn;
	struct stall stalls[STALLS]; /* a ring */
	uint32_t stall_count;
	nsec_t last_tick;
	nsec_t last_point;
	nsec_t last_part; /* of the counts of iterations began then */
	uint32_t told;    /* findings told of so far */
	struct limits limits;
	struct live live;
	struct asked asked;
};

static struct watch watch;

/* -- a tick ---------------------------------------------------------------- */

static void add_point(const struct snapshot *snapshot, nsec_t now)
{
	struct rec_table *table = &recording->tables[REC_SERIES];
	if (watch.last_point && now - watch.last_point < limits_point_every(&watch.limits))
		return;
	watch.last_point = now;
	uint64_t number = table->used / sizeof(struct rec_point);
	if (!recording_reserve(REC_SERIES, MIN_OF((number + 1) * sizeof(struct rec_point), table->capacity)))
		return;
	struct rec_point *point = (struct rec_point *)recording_table(REC_SERIES) + number % REC_SERIES_COUNT;
	struct arenas_sum arenas = arenas_tick(recording_view(), now);
	uint32_t blocked = 0;
	for (uint32_t i = 0; i < snapshot->thread_count; i++)
		blocked += snapshot->threads[i].waiting;
	*point = (struct rec_point){
		.at = now,
		.live_bytes = snapshot->live_bytes,
		.live_blocks = snapshot->live_blocks,
		.total_bytes = snapshot->total_bytes,
		.rss_bytes = process_anonymous_bytes(),
		.taken_bytes = arenas.taken,
		.used_bytes = arenas.live,
		.threads = snapshot->thread_count,
		.blocked = blocked,
	};
	atomic_store_explicit(&table->used, (number + 1) * sizeof *point, memory_order_release);
}

/*
 * Where a thread that holds something others may wait for is now, if it is blocked in a call that
 * no hook saw: looked up without stopping it.
 */
static void look_at_holders(struct snapshot *snapshot)
{
	nsec_t limit = MIN_OF(options.held ? options.held : UINT64_MAX,
			      options.iterating ? options.iterating : UINT64_MAX);
	for (uint32_t i = 0; i < snapshot->thread_count; i++) {
		struct snap_thread *thread = &snapshot->threads[i];
		if (thread->waiting || thread->torn || !thread->hold_count || thread->state != THREAD_RUNNING)
			continue;
		if (snapshot->now - thread->holds[0].since < limit / 2)
			continue;
		stack_id stack;
		if (stack_of_thread(thread->tid, &stack) != 0)
			continue;
		thread->now_stack = stack;
		thread->now_at = snapshot->now;
		struct rec_thread *slot = (struct rec_thread *)view_thread(recording_view(), thread->slot);
		atomic_store_explicit(&slot->now_stack, stack, memory_order_relaxed);
		atomic_store_explicit(&slot->now_serial, thread->changes, memory_order_relaxed);
		atomic_store_explicit(&slot->now_mono, snapshot->now, memory_order_relaxed);
	}
}

#define MARKS_MOST 64u

/* Locks that no call has initialised are known once they are held: whoever frees them is to be asked. */
static void mark_held(const struct snapshot *snapshot)
{
	unsigned left = MARKS_MOST;
	for (uint32_t i = 0; i < snapshot->thread_count; i++)
		for (uint32_t j = 0; j < snapshot->threads[i].hold_count && left; j++) {
			const struct rec_hold *hold = &snapshot->threads[i].holds[j];
			if (!kind_has(hold->kind, KIND_IS_BLOCKS) || !kind_has(hold->kind, KIND_IS_THREAD))
				continue;
			allocation_mark_lock(hold->handle);
			left--;
		}
}

static void append(const struct finding *finding, void *data)
{
	(void)data;
	const struct rec_table *log = &recording->tables[REC_ALERTS];
	uint64_t used = atomic_load_explicit(&log->used, memory_order_relaxed);
	if (used + finding->bytes <= incident_log_share(finding, log->capacity))
		alert_append(finding, finding->bytes, offsetof(struct finding, number));
	else
		recording_lost(REC_ALERTS);
	if (options.trim && finding->kind == FINDING_fragmentation && !(finding->flags & FOUND_OVER))
		trim_want();
}

/*
 * A tick that came very late tells that not only the program stood still: stopped, suspended,
 * or starved of processor time. That time is nobody's fault and counts for no limit.
 */
static void notice_stall(nsec_t now)
{
	nsec_t due = watch.last_tick + options.tick;
	if (watch.last_tick && now > due + options.tick + STALL_LEAST)
		watch.stalls[watch.stall_count++ % STALLS] = (struct stall){ .from = due, .to = now };
	watch.last_tick = now;
}

/* Where a command watches, it is the one that writes what the program asks for. */
static void serve_requests(void)
{
	uint32_t wanted = atomic_load_explicit(&recording->requests, memory_order_acquire);
	if (wanted == atomic_load_explicit(&recording->requests_told, memory_order_relaxed) ||
	    teller_watched())
		return;
	uint32_t alerts = atomic_load_explicit(&recording->alerts, memory_order_acquire);
	teller_tell(watch.told, TRIGGER_REQUEST);
	watch.told = alerts;
	atomic_store_explicit(&recording->requests_told, wanted, memory_order_release);
	sys_futex_wake((const uint32_t *)&recording->requests_told, INT32_MAX);
}

static void turn_iterations(nsec_t now)
{
	if (!options.iteration_slow_for ||
	    now - watch.last_part < options.iteration_slow_for / (REC_ITERATION_PARTS - 1))
		return;
	/* Not before the first part is as long as any. */
	if (watch.last_part)
		iteration_next_part();
	watch.last_part = now;
}

static void tick(void)
{
	nsec_t now = sys_monotonic();
	nsec_t span = watch.last_tick ? MIN_OF(now - watch.last_tick, 2 * options.tick) : 0;
	notice_stall(now);
	contention_sample(now, span);
	clock_publish(now);
	atomic_store_explicit(&recording->tick_mono, now, memory_order_relaxed);
	atomic_fetch_add_explicit(&recording->ticks, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&recording->era, 1, memory_order_relaxed);
	stack_modules_check();
	resource_forget_freed();
	stack_depth_look();
	overhead_tick();

	struct arena *arena = &watch.arenas[watch.turn ^= 1];
	arena_reset(arena);
	struct snapshot snapshot;
	snapshot_take(recording_view(), now, arena, &snapshot);
	/* The oldest first: each moves what began before it up to its own end at the most. */
	for (uint32_t i = MIN_OF(watch.stall_count, STALLS); i-- > 0;) {
		const struct stall *stall = &watch.stalls[(watch.stall_count - 1 - i) % STALLS];
		snapshot_discount(&snapshot, stall->from, stall->to);
	}
	turn_iterations(now);
	span_look(&snapshot);
	add_point(&snapshot, now);
	growth_clock_tick(&snapshot, now);
	probe_threads(&snapshot);
	probe_stack_locks(&snapshot);
	look_at_holders(&snapshot);
	mark_held(&snapshot);
	struct finding_list found = { .arena = arena };
	uint32_t order_news = atomic_load_explicit(&recording->order_news, memory_order_acquire);
	uint32_t misuse_news = atomic_load_explicit(&recording->misuse_news, memory_order_acquire);
	detect_live(&snapshot, &watch.limits, &found);
	if (!found.incomplete) {
		watch.limits.order_news = order_news;
		watch.limits.misuse_news = misuse_news;
	}
	places_look(&snapshot, options.tick);
	places_of_findings(&snapshot, &found);
	incidents_update(&watch.incidents, &found, &snapshot, append, NULL);
	if (watch.incidents.lost)
		recording_degrade(REC_TABLE_FULL);

	uint32_t since = watch.told;
	teller_tidy();
	serve_requests();
	uint32_t alerts = atomic_load_explicit(&recording->alerts, memory_order_acquire);
	if (alerts != watch.told && !teller_watched())
		teller_tell(watch.told, TRIGGER_THRESHOLD);
	watch.told = alerts;
	if (alerts != since)
		teller_act(since);
	if (told_misuse != watch.limits.misuse_news) {
		__atomic_store_n(&told_misuse, watch.limits.misuse_news, __ATOMIC_RELEASE);
		sys_futex_wake(&told_misuse, INT32_MAX);
	}
}

/* Whether this guest is all that is left of the process. */
static bool alone(void)
{
	return process_other_tasks(sys_tid()) == 0;
}

/* Who asked for a search for lost memory tells of what it found. */
static void search(void)
{
	bool all_told = atomic_load_explicit(&recording->alerts, memory_order_acquire) == watch.told;
	if (live_step(&watch.live) && all_told)
		watch.told = atomic_load_explicit(&recording->alerts, memory_order_acquire);
}

/* Commands write it too, and wake us: it lies in the recording. */
static uint32_t *poke_word(void)
{
	return (uint32_t *)&recording->poke;
}

static void run(void *data)
{
	(void)data;
	self.guest = true;
	sys_call2(SYS_prctl, 15 /* PR_SET_NAME */, "whoholds");
	unsigned ticks = 0;
	nsec_t due = 0;
	for (;;) {
		uint32_t poke = __atomic_load_n(poke_word(), __ATOMIC_ACQUIRE);
		if (__atomic_load_n(&stopping, __ATOMIC_ACQUIRE))
			break;
		bool wanted = __atomic_exchange_n(&looks_wanted, 0, __ATOMIC_ACQ_REL);
		if (wanted || sys_monotonic() >= due) {
			tick();
			/* A tick that had something to tell took its time. */
			nsec_t now = sys_monotonic();
			clock_publish(now);
			due = now + options.tick;
			if (++ticks % 16 == 0 && alone())
				break;
		}
		search();
		asked_step(&watch.asked);
		nsec_t now = sys_monotonic();
		nsec_t wait = MIN_OF(due > now ? due - now : 1,
				     MIN_OF(live_wait(&watch.live), asked_wait(&watch.asked)));
		bool searches = watch.live.stage != LIVE_IDLE || watch.asked.begun;
		__atomic_store_n(&resting, !searches, __ATOMIC_RELEASE);
		sys_futex_wait(poke_word(), poke, wait);
		__atomic_store_n(&resting, 0, __ATOMIC_RELEASE);
	}
	live_cancel(&watch.live);
	asked_cancel(&watch.asked);
	clock_publish(0);
}

bool watchdog_rests(void)
{
	return __atomic_load_n(&resting, __ATOMIC_ACQUIRE);
}

static void poke(void)
{
	__atomic_fetch_add(poke_word(), 1, __ATOMIC_RELEASE);
	sys_futex_wake(poke_word(), 1);
}

/* -- its life -------------------------------------------------------------- */

int watchdog_start(void)
{
	__atomic_store_n(&stopping, 0, __ATOMIC_RELEASE);
	watch.arenas[0].more = watch.arenas[1].more = sys_pages;
	watch.arenas[0].less = watch.arenas[1].less = sys_pages_free;
	watch.last_tick = 0;
	teller_leave(&stopping);
	limits_from_options(&watch.limits, &options);
	growth_clock_start(options.growth);
	arenas_start(options.fragmentation_in / 8);
	if (!watch.incident_memory) {
		watch.incident_memory = sys_pages(INCIDENTS_BYTES);
		if (!watch.incident_memory)
			return -ENOMEM;
		incidents_init(&watch.incidents, watch.incident_memory, INCIDENTS_BYTES);
	}
	int error = guest_start(&guest, run, NULL, &self);
	if (error == 0)
		atomic_fetch_or_explicit(&recording->flags, REC_REPORTER_RUNS, memory_order_relaxed);
	return error;
}

void watchdog_stop(void)
{
	__atomic_store_n(&stopping, 1, __ATOMIC_RELEASE);
	poke();
	__atomic_store_n(&last_task, guest.task, __ATOMIC_RELAXED);
	guest_join(&guest);
	atomic_fetch_and_explicit(&recording->flags, ~(uint32_t)REC_REPORTER_RUNS, memory_order_relaxed);
}

bool watchdog_is_task(int32_t tid)
{
	return tid == __atomic_load_n(&guest.task, __ATOMIC_RELAXED) ||
	       tid == __atomic_load_n(&last_task, __ATOMIC_RELAXED);
}

void watchdog_fork_child(void)
{
	/* The thread is not in the child, but its memory is. */
	clock_publish(0);
	probe_fork_child();
	places_fork_child();
	teller_fork_child();
	told_misuse = 0;
	guest.tid = 0;
	guest.task = last_task = 0;
	guest_join(&guest);
	arena_release(&watch.arenas[0]);
	arena_release(&watch.arenas[1]);
	live_fork_child(&watch.live);
	asked_fork_child(&watch.asked);
	if (watch.incident_memory)
		sys_pages_free(watch.incident_memory, INCIDENTS_BYTES);
	memset(&watch, 0, sizeof watch);
}

void watchdog_wait_told(uint32_t misuse_news, nsec_t timeout)
{
	nsec_t until = sys_monotonic() + timeout;
	uint32_t told;
	while ((int32_t)((told = __atomic_load_n(&told_misuse, __ATOMIC_ACQUIRE)) - misuse_news) < 0 &&
	       sys_monotonic() < until) {
		poke();
		sys_futex_wait(&told_misuse, told, options.tick);
	}
}

void watchdog_poke(void)
{
	__atomic_store_n(&looks_wanted, 1, __ATOMIC_RELEASE);
	poke();
}
