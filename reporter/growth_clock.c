#include "reporter/growth_clock.h"

#include <stdatomic.h>
#include <string.h>

#include "options.h"
#include "platform/sys.h"
#include "registry/allocation.h"
#include "registry/pool.h"
#include "registry/recording.h"
#include "registry/sampling.h"
#include "reporter/detect/survivors.h"

#define LOOKS_A_WINDOW 8
#define LOOK_LEAST (50 * NSEC_PER_MSEC)

#define ENTRIES_MOST 2048u

static struct {
	nsec_t window;                       /* 0: off */
	nsec_t begun;                        /* of the window that is open */
	nsec_t next;                         /* look */
	uint32_t eras[REC_GROWTH_BANDS + 1]; /* in which the windows began; the open one last */
	uint64_t least[ENTRIES_MOST];        /* by entry: in the open window; UINT64_MAX: not looked yet */
	bool whole[ENTRIES_MOST];            /* by entry: followed all through the open window */
} watch;

static uint32_t era_now(void)
{
	return atomic_load_explicit(&recording->era, memory_order_relaxed);
}

void growth_clock_start(nsec_t time)
{
	memset(&watch, 0, sizeof watch);
	watch.window = time / REC_GROWTH_BANDS;
}

/* -- what is live ------------------------------------------------------------ */

/* By site. */
struct site_now {
	int64_t live;
	uint32_t entry; /* + 1; 0: it has none */
};

struct sites {
	struct site_now *at;
	uint32_t count;
};

/* Of the place that made that mapping (mapping.c sees to it that it has one); 0: it is none, or has none. */
static site_id site_of_mapping(const struct view *view, const struct rec_hold *hold)
{
	const struct rec_stack *stack = hold->kind == KIND_MAPPING ? view_stack(view, hold->stack) : NULL;
	return stack ? atomic_load_explicit(&stack->site, memory_order_acquire) : 0;
}

static bool sites_load(struct sites *sites, const struct snapshot *snapshot)
{
	const struct view *view = snapshot->view;
	sites->count = view_sites(view);
	sites->at = sites->count ? sys_pages_lazy(sites->count * sizeof *sites->at) : NULL;
	if (!sites->at)
		return false;
	/* Cells first, as view_site_counts; all of them at once, since that asks each thread for each site. */
	const struct rec_cells *cells = view->tables[REC_CELLS];
	uint64_t blocks = cells ? view_used(view, REC_CELLS) / sizeof *cells : 0;
	for (uint64_t i = 0; i < blocks * REC_CELLS_EACH; i++) {
		const struct rec_cell *cell = &cells[i / REC_CELLS_EACH].cells[i % REC_CELLS_EACH];
		site_id site = atomic_load_explicit(&cell->site, memory_order_acquire);
		if (!site || site >= sites->count)
			continue;
		uint64_t made = atomic_load_explicit(&cell->made, memory_order_acquire);
		uint64_t freed = atomic_load_explicit(&cell->freed, memory_order_acquire);
		sites->at[site].live += (int64_t)(amount_bytes(made) - amount_bytes(freed));
	}
	for (site_id site = 1; site < sites->count; site++)
		sites->at[site].live +=
		    (int64_t)atomic_load_explicit(&view_site(view, site)->live_bytes, memory_order_acquire);
	for (uint32_t i = 0; i < snapshot->resource_count; i++) {
		site_id site = site_of_mapping(view, &snapshot->resources[i]);
		if (site && site < sites->count)
			sites->at[site].live += (int64_t)snapshot->resources[i].bytes;
	}
	return true;
}

static void sites_release(struct sites *sites)
{
	sys_pages_free(sites->at, sites->count * sizeof *sites->at);
}

/* -- entries ----------------------------------------------------------------- */

static struct rec_growth *entry_at(uint32_t index)
{
	return (struct rec_growth *)recording_table(REC_GROWTH) + index;
}

static uint32_t entries(void)
{
	uint64_t used = atomic_load_explicit(&recording->tables[REC_GROWTH].used, memory_order_relaxed);
	return (uint32_t)(used / sizeof(struct rec_growth));
}

/* Hides an entry from readers while it is written; it is shown again under its site, or under none. */
static site_id entry_hide(struct rec_growth *entry)
{
	site_id site = atomic_exchange_explicit(&entry->site, 0, memory_order_acq_rel);
	atomic_thread_fence(memory_order_release);
	return site;
}

static void entry_show(struct rec_growth *entry, site_id site)
{
	atomic_store_explicit(&entry->site, site, memory_order_release);
}

/* A free entry, or a new one; NULL: there is no room, and the site has to wait. */
static struct rec_growth *entry_make(uint32_t *from)
{
	uint32_t count = entries();
	for (; *from < count; ++*from)
		if (!atomic_load_explicit(&entry_at(*from)->site, memory_order_relaxed))
			return entry_at(*from);
	struct rec_table *table = &recording->tables[REC_GROWTH];
	uint64_t bytes = (count + (uint64_t)1) * sizeof(struct rec_growth);
	if (count >= ENTRIES_MOST || bytes > table->capacity || !recording_reserve(REC_GROWTH, bytes))
		return NULL;
	atomic_store_explicit(&table->used, bytes, memory_order_release);
	return entry_at(count);
}

static void look(const struct view *view, struct sites *sites)
{
	uint32_t count = entries();
	for (uint32_t i = 0; i < count; i++) {
		site_id site = atomic_load_explicit(&entry_at(i)->site, memory_order_relaxed);
		if (!site || site >= sites->count)
			continue;
		struct site_now *now = &sites->at[site];
		now->entry = i + 1;
		watch.least[i] = MIN_OF(watch.least[i], now->live > 0 ? (uint64_t)now->live : 0);
	}
	uint32_t from = 0;
	for (site_id site = 1; site < sites->count; site++) {
		struct site_now *now = &sites->at[site];
		if (now->entry || now->live < (int64_t)GROWTH_LEAST || !view_site(view, site)->stack)
			continue;
		struct rec_growth *entry = entry_make(&from);
		if (!entry)
			return;
		from = (uint32_t)(entry - entry_at(0));
		now->entry = from + 1;
		watch.least[from] = UINT64_MAX;
		watch.whole[from] = false;
		entry->count = 0;
		entry_show(entry, site);
	}
}

/* -- the end of a window ----------------------------------------------------- */

static void push(struct rec_growth *entry, uint64_t least, nsec_t now)
{
	if (entry->count == REC_GROWTH_BANDS) {
		memmove(&entry->bands[0], &entry->bands[1], sizeof entry->bands - sizeof entry->bands[0]);
		entry->count--;
	}
	for (uint32_t i = 0; i < entry->count; i++)
		entry->bands[i].kept_bytes = entry->bands[i].kept_blocks = 0;
	entry->older_bytes = entry->older_blocks = 0;
	entry->bands[entry->count++] = (struct rec_band){ .from = watch.begun, .least_bytes = least };
	entry->until = now;
}

/* Return: whether it rose once more. */
static bool close_window(uint32_t index, nsec_t now)
{
	struct rec_growth *entry = entry_at(index);
	uint64_t least = watch.least[index];
	bool whole = watch.whole[index];
	watch.least[index] = UINT64_MAX;
	watch.whole[index] = true;
	/* Without a look in it, or begun in the middle of it. */
	if (least == UINT64_MAX || !whole)
		return least != UINT64_MAX;
	if (least < GROWTH_LEAST || (entry->count && least <= entry->bands[entry->count - 1].least_bytes))
		return false;
	push(entry, least, now);
	return true;
}

struct census {
	const struct sites *sites;
};

static bool count_survivor(const struct allocation *allocation, void *data)
{
	const struct census *census = data;
	site_id site = allocation->site;
	if (site >= census->sites->count || !census->sites->at[site].entry)
		return true;
	struct rec_growth *entry = entry_at(census->sites->at[site].entry - 1);
	struct sampling_weight weight = { (int64_t)allocation->size, 1 };
	if (allocation->flags & ALLOCATION_SAMPLED)
		weight = sampling_weigh(allocation->size, options.sample_bytes);
	/* Those who are counted have all the windows. */
	unsigned band = REC_GROWTH_BANDS;
	while (band > 0 && allocation->born < watch.eras[band - 1])
		band--;
	if (!band) {
		entry->older_bytes += (uint64_t)weight.bytes;
		entry->older_blocks += (uint64_t)weight.blocks;
	} else if (allocation->born < watch.eras[REC_GROWTH_BANDS]) {
		entry->bands[band - 1].kept_bytes += (uint64_t)weight.bytes;
		entry->bands[band - 1].kept_blocks += (uint64_t)weight.blocks;
	}
	return true;
}

/* As count_survivor, by time: mappings know no eras. */
static void count_mappings(const struct sites *sites, const struct snapshot *snapshot)
{
	for (uint32_t i = 0; i < snapshot->resource_count; i++) {
		const struct rec_hold *hold = &snapshot->resources[i];
		site_id site = site_of_mapping(snapshot->view, hold);
		if (!site || site >= sites->count || !sites->at[site].entry)
			continue;
		struct rec_growth *entry = entry_at(sites->at[site].entry - 1);
		unsigned band = REC_GROWTH_BANDS;
		while (band > 0 && hold->since < entry->bands[band - 1].from)
			band--;
		if (!band) {
			entry->older_bytes += hold->bytes;
			entry->older_blocks++;
		} else if (hold->since < entry->until) {
			entry->bands[band - 1].kept_bytes += hold->bytes;
			entry->bands[band - 1].kept_blocks++;
		}
	}
}

/* The window that is open ends, and the next begins. */
static void turn(struct sites *sites, const struct snapshot *snapshot, nsec_t now)
{
	uint32_t count = entries(), rising = 0;
	uint32_t era = era_now();
	memmove(&watch.eras[0], &watch.eras[1], sizeof watch.eras - sizeof watch.eras[0]);
	watch.eras[REC_GROWTH_BANDS] = era;
	for (uint32_t i = 0; i < count; i++) {
		struct rec_growth *entry = entry_at(i);
		site_id site = entry_hide(entry);
		if (!site)
			continue;
		bool rose = close_window(i, now);
		bool wanted = rose && survivors_rise(entry);
		if (site < sites->count)
			sites->at[site].entry = wanted ? i + 1 : 0;
		if (wanted)
			rising++;
		else
			entry_show(entry, rose ? site : 0);
	}
	watch.begun = now;
	if (!rising)
		return;
	struct census census = { sites };
	allocation_each(count_survivor, &census);
	pool_each(count_survivor, &census);
	count_mappings(sites, snapshot);
	for (site_id site = 1; site < sites->count; site++)
		if (sites->at[site].entry)
			entry_show(entry_at(sites->at[site].entry - 1), site);
}

void growth_clock_tick(const struct snapshot *snapshot, nsec_t now)
{
	if (!watch.window || now < watch.next)
		return;
	if (!watch.begun) {
		watch.begun = now;
		watch.eras[REC_GROWTH_BANDS] = era_now();
	}
	watch.next = now + MAX_OF(watch.window / LOOKS_A_WINDOW, LOOK_LEAST);
	struct sites sites;
	if (!sites_load(&sites, snapshot))
		return;
	look(snapshot->view, &sites);
	if (now - watch.begun >= watch.window)
		turn(&sites, snapshot, now);
	sites_release(&sites);
}
