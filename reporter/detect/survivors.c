/*
 * growth: sites whose survivors grow window after window (REC_GROWTH).
 *
 * Two things make it out, and both have to be so: live memory at its lowest rises from each window to the
 * next, and blocks of nearly every window are still there. The first is not so of a queue that breathes
 * or a table that was filled once; the second not of a program that has more and more to do
 * and gives everything back in time.
 */
#include "reporter/detect/survivors.h"

#include "reporter/detect/detection.h"

#define LAST (REC_GROWTH_BANDS - 1)

/* A window's rise, of an even share of the whole. */
#define SHARE_LEAST 4

/* Windows of which nothing may be left. */
#define GONE_MOST 1

bool survivors_rise(const struct rec_growth *growth)
{
	const struct rec_band *bands = growth->bands;
	if (growth->count != REC_GROWTH_BANDS || bands[LAST].least_bytes <= bands[0].least_bytes)
		return false;
	uint64_t rise = bands[LAST].least_bytes - bands[0].least_bytes;
	if (rise < GROWTH_LEAST || rise < bands[0].least_bytes / 4)
		return false;
	for (unsigned i = 1; i < REC_GROWTH_BANDS; i++)
		if (bands[i].least_bytes < bands[i - 1].least_bytes + rise / LAST / SHARE_LEAST)
			return false;
	return true;
}

/*
 * Whether it is old blocks that make up the growth, of nearly every window one: where all is young, more
 * is going on, and nothing is being kept. The windows' kept_bytes have been counted.
 */
static bool lasts(const struct rec_growth *growth)
{
	const struct rec_band *bands = growth->bands;
	uint64_t kept = 0;
	unsigned gone = 0;
	for (unsigned i = 0; i < LAST; i++) {
		kept += bands[i].kept_bytes;
		gone += !bands[i].kept_bytes;
	}
	return gone <= GONE_MOST && kept >= (bands[LAST].least_bytes - bands[0].least_bytes) / 2;
}

/* A copy that is whole: the entry may be being written, where the process is another one. */
static bool copy(const struct rec_growth *from, struct rec_growth *ret_growth)
{
	site_id site = atomic_load_explicit(&from->site, memory_order_acquire);
	if (!site)
		return false;
	ret_growth->count = from->count;
	ret_growth->until = from->until;
	ret_growth->older_bytes = from->older_bytes;
	ret_growth->older_blocks = from->older_blocks;
	for (unsigned i = 0; i < REC_GROWTH_BANDS; i++)
		ret_growth->bands[i] = from->bands[i];
	atomic_thread_fence(memory_order_acquire);
	atomic_store_explicit(&ret_growth->site, site, memory_order_relaxed);
	return atomic_load_explicit(&from->site, memory_order_relaxed) == site;
}

/* Of those that this place has made; NULL: it makes none, but blocks of the heap. */
static const struct rec_hold *oldest_mapping(const struct snapshot *snapshot, stack_id stack)
{
	const struct rec_hold *oldest = NULL;
	for (uint32_t i = 0; i < snapshot->resource_count; i++) {
		const struct rec_hold *hold = &snapshot->resources[i];
		if (hold->kind == KIND_MAPPING && hold->stack == stack &&
		    (!oldest || hold->since < oldest->since))
			oldest = hold;
	}
	return oldest;
}

static void report(struct detection *run, const struct rec_growth *growth, stack_id stack)
{
	const unsigned room = 1 + REC_GROWTH_BANDS;
	struct finding *finding = finding_begin(run->list, FINDING_growth, run->snapshot, room);
	if (!finding)
		return;
	finding->key = finding->witness = hash_add(detection_key(FINDING_growth), stack);
	finding->since = growth->bands[0].from;
	finding->limit = run->limits->growth;
	/* Without what the last window brought: it had no time to be given back. */
	finding->amount = growth->older_bytes;
	finding->count = growth->older_blocks;
	for (unsigned i = 0; i < LAST; i++) {
		finding->amount += growth->bands[i].kept_bytes;
		finding->count += growth->bands[i].kept_blocks;
	}
	nsec_t passed = growth->bands[LAST].from - growth->bands[0].from;
	if (passed)
		finding->rate =
		    (uint64_t)((double)(growth->bands[LAST].least_bytes - growth->bands[0].least_bytes) /
			       ((double)passed / (double)NSEC_PER_SEC));
	struct finding_item *item = finding_add(finding, ROLE_allocated, room);
	const struct rec_hold *mapping = oldest_mapping(run->snapshot, stack);
	if (mapping) {
		finding_item_hold(item, mapping);
		item->handle = 0; /* one address says nothing of the others */
		item->count = (uint32_t)MIN_OF(finding->count, (uint64_t)UINT32_MAX);
	}
	item->stack = stack;
	item->amount = finding->amount;
	item->flags = ITEM_SUBJECT;
	for (unsigned i = 0; i < REC_GROWTH_BANDS; i++) {
		item = finding_add(finding, ROLE_kept, room);
		item->since = growth->bands[i].from;
		item->amount = growth->bands[i].kept_bytes;
		item->count = (uint32_t)MIN_OF(growth->bands[i].kept_blocks, (uint64_t)UINT32_MAX);
		item->least = growth->bands[i].least_bytes;
	}
}

void detect_survivors(struct detection *run)
{
	const struct view *view = run->snapshot->view;
	const struct rec_growth *entry;
	struct rec_growth growth;
	if (!run->limits->growth)
		return;
	for (uint32_t i = 0; (entry = view_growth(view, i)); i++) {
		if (!copy(entry, &growth) || !survivors_rise(&growth) || !lasts(&growth))
			continue;
		const struct rec_site *site = view_site(view, growth.site);
		if (site && site->stack)
			report(run, &growth, site->stack);
	}
}
