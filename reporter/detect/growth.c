/*
 * heap-growth, thread-growth, rss-growth, fragmentation: alerts over the process's own counters (REC_SERIES).
 *
 * A limit is passed where the counter grew that much over its whole time, and went on
 * growing all through it: in each third of the time by at least half of that third's
 * share. A heap that breathes, or one that got its tables at the start and
 * keeps them, has a third in which it doesn't grow.
 */
#include "base/sort.h"
#include "reporter/detect/detection.h"
#include "reporter/mapped.h"

#define PARTS 3
#define TOP_SITES 5u

/* Fewer new threads are no growth, whatever the percentage (1 to 3 is 200%). Chosen somewhat arbitrarily. */
#define THREADS_LEAST 8

/* -- the ring, oldest first ------------------------------------------------ */

struct series {
	const struct rec_point *points;
	uint64_t first, count; /* numbers of points ever written; those that are still there */
};

static bool series_open(const struct view *view, struct series *ret_series)
{
	const struct rec_table *table = view ? &view->header->tables[REC_SERIES] : NULL;
	if (!table || !view->tables[REC_SERIES])
		return false;
	uint64_t written = table->used / sizeof(struct rec_point);
	if (written > REC_SERIES_COUNT && table->capacity < REC_SERIES_COUNT * sizeof(struct rec_point))
		return false;
	if (written <= REC_SERIES_COUNT && table->used > table->capacity)
		return false;
	ret_series->points = view->tables[REC_SERIES];
	ret_series->count = MIN_OF(written, REC_SERIES_COUNT);
	ret_series->first = written - ret_series->count;
	return ret_series->count >= 2;
}

static const struct rec_point *series_at(const struct series *series, uint64_t index)
{
	return &series->points[(series->first + index) % REC_SERIES_COUNT];
}

static uint64_t heap_of(const struct rec_point *point)
{
	return point->live_bytes;
}

static uint64_t threads_of(const struct rec_point *point)
{
	return point->threads;
}

/* A counter at a time between the first point and the last; in between two points, on the line. */
static double value_at(const struct series *series, uint64_t (*counter)(const struct rec_point *), nsec_t at)
{
	uint64_t low = 0, high = series->count - 1;
	while (low + 1 < high) {
		uint64_t middle = low + (high - low) / 2;
		if (series_at(series, middle)->at <= at)
			low = middle;
		else
			high = middle;
	}
	const struct rec_point *before = series_at(series, low);
	const struct rec_point *after = series_at(series, high);
	double left = (double)counter(before), right = (double)counter(after);
	if (after->at <= before->at || at <= before->at)
		return left;
	if (at >= after->at)
		return right;
	return left + (right - left) * ((double)(at - before->at) / (double)(after->at - before->at));
}

struct window {
	nsec_t start, length;
	double first, last;
};

/*
 * The last `length` of a counter; where the ring does not reach back that far (it was overwritten,
 * not: has not been written for so long), what there is. Return: false: too short a time.
 */
static bool window_open(const struct series *series, uint64_t (*counter)(const struct rec_point *),
			nsec_t length, struct window *ret_window)
{
	nsec_t first = series_at(series, 0)->at;
	nsec_t last = series_at(series, series->count - 1)->at;
	bool overwritten = series->first > 0;
	if (last <= first || !length || (last - first < length && !overwritten))
		return false;
	length = MIN_OF(length, last - first);
	*ret_window = (struct window){ .start = last - length, .length = length };
	ret_window->first = value_at(series, counter, ret_window->start);
	ret_window->last = value_at(series, counter, last);
	return true;
}

/* Whether the counter grew by `amount` in the window, and all through it. */
static bool grew(const struct series *series, uint64_t (*counter)(const struct rec_point *),
		 const struct window *window, double amount)
{
	double before = window->first;
	if (amount <= 0 || window->last - window->first < amount)
		return false;
	for (unsigned part = 1; part <= PARTS; part++) {
		double now = value_at(series, counter, window->start + window->length / PARTS * part);
		if (now - before < amount / PARTS / 2)
			return false;
		before = now;
	}
	return true;
}

static uint64_t memory_of(const struct rec_point *point)
{
	return point->rss_bytes;
}

/* -- heap-growth ----------------------------------------------------------- */

struct top_site {
	stack_id stack;
	uint64_t bytes, blocks;
};

/* The sites with the most live bytes, the largest first. Return: how many. */
static uint32_t top_sites(const struct view *view, struct top_site *ret_top)
{
	uint32_t count = 0;
	uint32_t sites = view_sites(view);
	for (uint32_t i = 1; i < sites; i++) {
		const struct rec_site *site = view_site(view, i);
		struct site_counts counts = view_site_counts(view, i);
		uint64_t bytes = counts.live_bytes;
		if (!site || !bytes || (count == TOP_SITES && bytes <= ret_top[count - 1].bytes))
			continue;
		if (count < TOP_SITES)
			count++;
		uint32_t at = count - 1;
		for (; at > 0 && ret_top[at - 1].bytes < bytes; at--)
			ret_top[at] = ret_top[at - 1];
		ret_top[at] =
		    (struct top_site){ .stack = site->stack, .bytes = bytes, .blocks = counts.live_blocks };
	}
	return count;
}

static void heap_growth(struct detection *run, const struct series *series)
{
	const struct limits *limits = run->limits;
	struct window window;
	if (!limits->heap_growth_rate || !window_open(series, heap_of, limits->heap_growth_for, &window))
		return;
	double seconds = (double)window.length / (double)NSEC_PER_SEC;
	if (!grew(series, heap_of, &window, (double)limits->heap_growth_rate * seconds))
		return;
	struct top_site top[TOP_SITES];
	uint32_t count = top_sites(run->snapshot->view, top);
	struct finding *finding = finding_begin(run->list, FINDING_heap_growth, run->snapshot, count);
	if (!finding)
		return;
	finding->since = window.start;
	finding->limit = limits->heap_growth_for;
	finding->amount = (uint64_t)window.last;
	finding->rate = (uint64_t)((window.last - window.first) / seconds);
	finding->key = finding->witness = detection_key(FINDING_heap_growth);
	for (uint32_t i = 0; i < count; i++) {
		struct finding_item *item = finding_add(finding, ROLE_site, count);
		item->stack = top[i].stack;
		item->amount = top[i].bytes;
		item->count = (uint32_t)MIN_OF(top[i].blocks, UINT32_MAX);
		item->flags |= i ? 0 : ITEM_SUBJECT;
	}
}

/* -- thread-growth --------------------------------------------------------- */

struct place {
	stack_id stack;
	uint32_t threads;
};

static bool stack_before(const void *a, const void *b, void *data)
{
	(void)data;
	return *(const stack_id *)a < *(const stack_id *)b;
}

static bool more_before(const void *a, const void *b, void *data)
{
	(void)data;
	const struct place *left = a, *right = b;
	return left->threads != right->threads ? left->threads > right->threads : left->stack < right->stack;
}

/* Where the threads of now were created, the place with the most first. Return: how many places. */
static uint32_t top_places(const struct detection *run, struct place **ret_places)
{
	const struct snapshot *snapshot = run->snapshot;
	stack_id *stacks = arena_array(run->arena, snapshot->thread_count, sizeof(*stacks));
	struct place *places = arena_array(run->arena, snapshot->thread_count, sizeof(*places));
	uint32_t count = 0, place_count = 0;
	*ret_places = places;
	if (!stacks || !places)
		return 0;
	for (uint32_t i = 0; i < snapshot->thread_count; i++)
		if (snapshot->threads[i].state != THREAD_ENDED && snapshot->threads[i].created_stack)
			stacks[count++] = snapshot->threads[i].created_stack;
	sort_items(stacks, count, sizeof(*stacks), stack_before, NULL);
	for (uint32_t i = 0; i < count; i++) {
		if (!i || stacks[i] != stacks[i - 1])
			places[place_count++].stack = stacks[i];
		places[place_count - 1].threads++;
	}
	sort_items(places, place_count, sizeof(*places), more_before, NULL);
	return MIN_OF(place_count, TOP_SITES);
}

static void thread_growth(struct detection *run, const struct series *series)
{
	const struct limits *limits = run->limits;
	struct window window;
	if (!limits->thread_growth_percent ||
	    !window_open(series, threads_of, limits->thread_growth_in, &window))
		return;
	double amount = MAX_OF(window.first, 1.0) * limits->thread_growth_percent / 100;
	if (!grew(series, threads_of, &window, MAX_OF(amount, THREADS_LEAST)))
		return;
	struct place *places;
	uint32_t count = top_places(run, &places);
	struct finding *finding = finding_begin(run->list, FINDING_thread_growth, run->snapshot, count);
	if (!finding)
		return;
	finding->since = window.start;
	finding->limit = limits->thread_growth_in;
	finding->count = (uint64_t)window.last;
	finding->amount = (uint64_t)(window.last - window.first);
	finding->key = finding->witness = detection_key(FINDING_thread_growth);
	for (uint32_t i = 0; i < count; i++) {
		struct finding_item *item = finding_add(finding, ROLE_created, count);
		item->stack = places[i].stack;
		item->count = places[i].threads;
		item->flags |= i ? 0 : ITEM_SUBJECT;
	}
}

/* -- rss-growth ------------------------------------------------------------ */

/* Of what the first place has mapped. Chosen somewhat arbitrarily. */
#define PLACE_LEAST 16

/* What a place has mapped in the meantime, and is still there. */
static struct finding_item *add_mapped(struct finding *finding, const struct mapped *place, uint32_t room)
{
	struct finding_item *item = finding_add(finding, ROLE_allocated, room);
	item->object_kind = KIND_MAPPING;
	item->op = place->op;
	item->since = place->since;
	item->stack = place->stack;
	item->amount = place->bytes;
	item->count = place->count;
	return item;
}

/* What the heap has grown by in the meantime is told of as heap-growth, where it is too much. */
static void rss_growth(struct detection *run, const struct series *series)
{
	const struct limits *limits = run->limits;
	struct window window, heap;
	if (!limits->rss_growth_rate || !window_open(series, memory_of, limits->rss_growth_for, &window) ||
	    !window_open(series, heap_of, limits->rss_growth_for, &heap))
		return;
	double seconds = (double)window.length / (double)NSEC_PER_SEC;
	double amount = (double)limits->rss_growth_rate * seconds;
	double of_heap = MAX_OF(heap.last - heap.first, 0.0);
	if (!grew(series, memory_of, &window, amount + of_heap))
		return;
	struct mapped_list mapped = mapped_by_place(run->snapshot, window.start, run->arena);
	const uint32_t count = MIN_OF(mapped.count, TOP_SITES);
	struct finding *finding = finding_begin(run->list, FINDING_rss_growth, run->snapshot, count);
	if (!finding)
		return;
	finding->since = window.start;
	finding->limit = limits->rss_growth_for;
	finding->amount = (uint64_t)window.last;
	finding->rate = (uint64_t)((window.last - window.first) / seconds);
	finding->key = finding->witness = detection_key(FINDING_rss_growth);
	finding->sort = limits->mappings ? MAPPINGS_RECORDED : MAPPINGS_UNRECORDED;
	for (uint32_t i = 0; i < count && mapped.at[i].bytes >= mapped.at[0].bytes / PLACE_LEAST; i++)
		add_mapped(finding, &mapped.at[i], count)->flags |= i ? 0 : ITEM_SUBJECT;
}

/* -- fragmentation --------------------------------------------------------- */

/* Less than this is not worth anybody's time. Chosen somewhat arbitrarily. */
#define WASTE_LEAST ((uint64_t)48 << 20)

static bool is_fragmented(const struct rec_point *point, unsigned percent)
{
	return point->taken_bytes >= point->used_bytes + WASTE_LEAST &&
	       (double)point->taken_bytes > (double)point->used_bytes * (100.0 + percent) / 100;
}

static bool more_wasted(const void *a, const void *b, void *data)
{
	(void)data;
	const struct rec_arena *left = a, *right = b;
	return left->taken - left->live > right->taken - right->live;
}

static void add_arenas(struct detection *run, struct finding *finding, uint32_t room)
{
	const struct rec_arenas *noted = view_arenas(run->snapshot->view);
	struct rec_arena arenas[REC_ARENAS_MOST];
	uint32_t count =
	    noted ? MIN_OF(atomic_load_explicit(&noted->count, memory_order_acquire), REC_ARENAS_MOST) : 0;
	for (uint32_t i = 0; i < count; i++)
		arenas[i] = noted->at[i];
	sort_items(arenas, count, sizeof(arenas[0]), more_wasted, NULL);
	for (uint32_t i = 0; i < MIN_OF(count, TOP_SITES); i++) {
		struct finding_item *item = finding_add(finding, ROLE_arena, room);
		item->serial = arenas[i].arena ? i + 1 : 0;
		item->amount = arenas[i].taken;
		item->used = arenas[i].live;
		item->count = (uint32_t)MIN_OF(arenas[i].blocks, (uint64_t)UINT32_MAX);
	}
	for (uint32_t i = 0; count && i < REC_ARENA_PINS; i++) {
		const struct rec_site *site = view_site(run->snapshot->view, noted->pins[i].site);
		if (!site || !site->stack || noted->pins[i].bytes < noted->pins[0].bytes / 16)
			break;
		struct finding_item *item = finding_add(finding, ROLE_pins, room);
		item->stack = site->stack;
		item->amount = noted->pins[i].bytes;
		item->count =
		    (uint32_t)MIN_OF(view_site_counts(run->snapshot->view, noted->pins[i].site).live_blocks,
				     (uint64_t)UINT32_MAX);
		item->flags |= i ? 0 : ITEM_SUBJECT;
	}
}

/* At every point of the time, so that what is about to be used again, or given back, is none. */
static void fragmentation(struct detection *run, const struct series *series)
{
	const struct limits *limits = run->limits;
	const struct rec_point *last = series_at(series, series->count - 1);
	if (!limits->fragmentation_percent || last->at < limits->fragmentation_in)
		return;
	uint64_t at = series->count;
	while (at > 0 && is_fragmented(series_at(series, at - 1), limits->fragmentation_percent) &&
	       last->at - series_at(series, at - 1)->at <= limits->fragmentation_in)
		at--;
	/* The first point before the time, or outside of what is known, ends it. */
	if (at == series->count || !at ||
	    last->at - series_at(series, at - 1)->at <= limits->fragmentation_in)
		return;
	const unsigned room = TOP_SITES + REC_ARENA_PINS;
	struct finding *finding = finding_begin(run->list, FINDING_fragmentation, run->snapshot, room);
	if (!finding)
		return;
	finding->since = last->at - limits->fragmentation_in;
	finding->limit = limits->fragmentation_in;
	finding->amount = last->taken_bytes;
	finding->indirect = last->used_bytes;
	finding->key = finding->witness = detection_key(FINDING_fragmentation);
	add_arenas(run, finding, room);
}

void detect_growth(struct detection *run)
{
	struct series series;
	if (!series_open(run->snapshot->view, &series))
		return;
	heap_growth(run, &series);
	thread_growth(run, &series);
	rss_growth(run, &series);
	fragmentation(run, &series);
}
