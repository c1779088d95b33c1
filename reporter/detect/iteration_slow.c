/*
 * iteration-slow: of the iterators opened at one place more than one in a hundred were open for longer than the
 * limit, in each of the three last parts of the option's time. So P99 was above it all through that time; a
 * single slow one, or a slow minute's last moments, is none.
 */
#include "reporter/detect/detection.h"

/* Fewer in the whole time say nothing about a hundredth of them. Chosen somewhat arbitrarily. */
#define LEAST 5u

/* Whether P99 was above the limit in each complete part of the ring. */
static bool is_slow(const struct rec_iteration *iteration, uint32_t part)
{
	uint32_t all = 0;
	for (uint32_t back = 1; back < REC_ITERATION_PARTS; back++) {
		uint32_t at = (part - back) % REC_ITERATION_PARTS;
		uint32_t count = atomic_load_explicit(&iteration->parts[at].count, memory_order_relaxed);
		uint32_t slow = atomic_load_explicit(&iteration->parts[at].slow, memory_order_relaxed);
		if (!count || (uint64_t)slow * 100 <= count)
			return false;
		all += count;
	}
	return all >= LEAST;
}

static void report(struct detection *run, const struct rec_iteration *iteration)
{
	struct finding *finding = finding_begin(run->list, FINDING_iteration_slow, run->snapshot, 1);
	struct finding_item *item = finding_add(finding, ROLE_site, 1);
	if (!item)
		return;
	finding->count = atomic_load_explicit(&iteration->count, memory_order_relaxed);
	finding->limit = run->limits->iteration_slow;
	finding->p50 = view_iteration_percentile(iteration, 50);
	finding->p99 = view_iteration_percentile(iteration, 99);
	finding->longest = atomic_load_explicit(&iteration->longest, memory_order_relaxed);
	finding->key =
	    hash_add(hash_add(detection_key(FINDING_iteration_slow), iteration->stack), iteration->kind);
	finding->witness = finding->key;
	item->flags |= ITEM_SUBJECT;
	item->stack = iteration->stack;
}

void detect_iteration_slow(struct detection *run)
{
	const struct view *view = run->snapshot->view;
	if (!view || !run->limits->iteration_slow)
		return;
	uint32_t part = atomic_load_explicit(&view->header->iteration_part, memory_order_acquire);
	const struct rec_iteration *iteration;
	for (uint32_t i = 0; part >= REC_ITERATION_PARTS - 1 && (iteration = view_iteration(view, i)); i++)
		if (atomic_load_explicit(&iteration->count, memory_order_acquire) && is_slow(iteration, part))
			report(run, iteration);
}
