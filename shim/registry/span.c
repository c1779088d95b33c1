#include "registry/span.h"

#include <string.h>
#include <time.h>

#include "base/hash.h"
#include "options.h"
#include "platform/sys.h"
#include "registry/count.h"
#include "registry/recording.h"
#include "registry/thread.h"

_Static_assert(REC_SPANS_COUNT < UINT16_MAX, "a place fits into a hold");

static struct rec_span *span_at(uint32_t place)
{
	return (struct rec_span *)recording_table(REC_SPANS) + place;
}

/* Of the calling thread, ns. A system call, which only the sample makes. */
static nsec_t cpu_time(void)
{
	struct timespec now = { 0 };
	if (sys_call2(SYS_clock_gettime, CLOCK_THREAD_CPUTIME_ID, &now) < 0)
		return 0;
	return (nsec_t)now.tv_sec * NSEC_PER_SEC + (nsec_t)now.tv_nsec;
}

/* Serials count a thread's holds and waits, so which holds are in the sample is as good as random. */
static bool is_chosen(const struct rec_hold *hold)
{
	uint64_t number = hash_mix((uint64_t)hold->owner << 32 | hold->serial);
	return number % SPANS_WHOLE < options.spans;
}

uint16_t span_begin(const struct rec_hold *hold)
{
	const struct rec_thread *slot = self.slot;
	if (LIKELY(!options.spans) || !slot || sys_sandboxed || !is_chosen(hold) ||
	    !recording_reserve(REC_SPANS, recording->tables[REC_SPANS].capacity))
		return 0;
	uint32_t number = atomic_fetch_add_explicit(&recording->spans, 1, memory_order_relaxed);
	uint32_t place = number % REC_SPANS_COUNT;
	struct rec_span *span = span_at(place);
	atomic_store_explicit(&span->begin, 0, memory_order_relaxed);
	atomic_store_explicit(&span->end, 0, memory_order_release);
	count_flush();
	span->handle = hold->handle;
	span->container = hold->container;
	span->allocated = self.made_bytes;
	span->freed = self.freed_bytes;
	span->stack = hold->stack;
	span->name = hold->name;
	span->thread = hold->owner;
	span->tid = slot->tid;
	span->serial = hold->serial;
	span->kind = hold->kind;
	span->closed_elsewhere = 0;
	span->wait_op = 0;
	span->wait_kind = 0;
	span->wait_stack = 0;
	span->wait_handle = 0;
	span->waited = 0;
	span->cpu = cpu_time();
	atomic_store_explicit(&span->begin, sys_monotonic(), memory_order_release);
	uint64_t bytes = MIN_OF((uint64_t)number + 1, (uint64_t)REC_SPANS_COUNT) * sizeof *span;
	_Atomic uint64_t *used = &recording->tables[REC_SPANS].used;
	uint64_t before = atomic_load_explicit(used, memory_order_relaxed);
	while (before < bytes && !atomic_compare_exchange_weak_explicit(
				     used, &before, bytes, memory_order_release, memory_order_relaxed))
		;
	return (uint16_t)(place + 1);
}

void span_end(const struct rec_hold *was)
{
	uint32_t place = was->span;
	if (LIKELY(!place) || place > REC_SPANS_COUNT)
		return;
	struct rec_span *span = span_at(place - 1);
	/* It may have lasted longer than the ring remembers, and be another's place by now. */
	if (span->thread != was->owner || span->serial != was->serial || span->end)
		return;
	span->closed_elsewhere = !self.slot || self.slot->id != was->owner || sys_sandboxed;
	if (span->closed_elsewhere) {
		span->allocated = span->freed = span->cpu = 0;
	} else {
		count_flush();
		span->allocated = self.made_bytes - span->allocated;
		span->freed = self.freed_bytes - span->freed;
		nsec_t cpu = cpu_time();
		span->cpu = cpu > span->cpu ? cpu - span->cpu : 0;
	}
	atomic_store_explicit(&span->end, sys_monotonic(), memory_order_release);
}

void span_look(const struct snapshot *snapshot)
{
	uint64_t count = options.spans ? view_used(snapshot->view, REC_SPANS) / sizeof(struct rec_span) : 0;
	for (uint64_t i = 0; i < count; i++) {
		struct rec_span *span = span_at((uint32_t)i);
		nsec_t begin = atomic_load_explicit(&span->begin, memory_order_acquire);
		if (!begin || atomic_load_explicit(&span->end, memory_order_relaxed))
			continue;
		const struct snap_thread *thread = snapshot_thread(snapshot, span->thread);
		if (!thread || thread->torn || !thread->waiting)
			continue;
		nsec_t since = MAX_OF(thread->wait.since, begin);
		if (snapshot->now <= since || snapshot->now - since <= span->waited)
			continue;
		span->waited = snapshot->now - since;
		span->wait_op = thread->wait.op;
		span->wait_kind = thread->wait.kind;
		span->wait_stack = thread->wait.stack;
		span->wait_handle = thread->wait.handle;
	}
}
