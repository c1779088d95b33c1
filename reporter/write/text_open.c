#include "base/sort.h"
#include "reporter/write/text_report.h"

/*
 * What is open, by the place that opened it, over all threads; and how long iterators of such places were open
 * that are closed again.
 */

#define PLACES_MOST 20u /* that are told; past these nobody reads on */

struct place {
	stack_id stack;
	unsigned kind;
	uint32_t open;
	const struct rec_hold *oldest;
	bool several_names;                 /* what is open is called differently */
	const struct rec_iteration *closed; /* NULL: none */
};

static bool place_before(const void *a, const void *b, void *data)
{
	(void)data;
	const struct place *left = a, *right = b;
	if (left->open != right->open)
		return left->open > right->open;
	uint64_t left_closed = left->closed ? left->closed->count : 0;
	uint64_t right_closed = right->closed ? right->closed->count : 0;
	if (left_closed != right_closed)
		return left_closed > right_closed;
	return left->stack < right->stack;
}

static bool resource_before(const void *a, const void *b, void *data)
{
	(void)data;
	const struct rec_hold *left = *(const struct rec_hold *const *)a;
	const struct rec_hold *right = *(const struct rec_hold *const *)b;
	if (left->stack != right->stack)
		return left->stack < right->stack;
	if (left->kind != right->kind)
		return left->kind < right->kind;
	return left->since < right->since;
}

/* Places with something open, in the order of their stacks. Return: how many. */
static uint32_t open_places(struct text_report *text, struct place *ret_places)
{
	const struct snapshot *snapshot = text->report->snapshot;
	const struct rec_hold **sorted =
	    arena_array(text->names.arena, (size_t)snapshot->resource_count + 1, sizeof(*sorted));
	uint32_t count = 0, used = 0;
	for (uint32_t i = 0; sorted && i < snapshot->resource_count; i++)
		if (kind_has(snapshot->resources[i].kind, KIND_IS_RESOURCE) &&
		    snapshot->resources[i].kind != KIND_MAPPING)
			sorted[used++] = &snapshot->resources[i];
	if (used)
		sort_items(sorted, used, sizeof(*sorted), resource_before, NULL);
	for (uint32_t i = 0; i < used; i++) {
		struct place *last = count ? &ret_places[count - 1] : NULL;
		if (last && last->stack == sorted[i]->stack && last->kind == sorted[i]->kind) {
			last->open++;
			last->several_names |= sorted[i]->name != last->oldest->name;
		} else {
			ret_places[count++] = (struct place){ .stack = sorted[i]->stack,
							      .kind = sorted[i]->kind,
							      .open = 1,
							      .oldest = sorted[i] };
		}
	}
	return count;
}

/* Measured by a clock that ticks a hundred times a second at the least. */
static const char *duration_text(struct names *names, nsec_t duration)
{
	return duration < NSEC_PER_MSEC ? "under 10 ms" : names_duration(names, duration);
}

static void put_place(struct text_report *text, const struct place *place)
{
	struct names *names = &text->names;
	nsec_t now = text->report->snapshot->now;
	const char *label = names_format(names, "no %s open", kind_noun(place->kind, 1));
	if (place->open)
		label = names_format(names, "%s open%s",
				     kind_many(names, place->kind, place->open,
					       place->several_names ? 0 : place->oldest->name),
				     place->open > 1 ? ", the oldest" : "");
	text_line(text, TEXT_INDENT, label,
		  place->open && now > place->oldest->since ? now - place->oldest->since : 0);
	if (place->closed && place->closed->count)
		text_line(text, TEXT_INDENT,
			  names_format(names, "%s %s before: P50 %s, P99 %s, longest %s",
				       names_count(names, place->closed->count), kind_given_back(place->kind),
				       duration_text(names, view_iteration_percentile(place->closed, 50)),
				       duration_text(names, view_iteration_percentile(place->closed, 99)),
				       duration_text(names, place->closed->longest)),
			  0);
	text_stack(text, place->stack, TEXT_INDENT + 4);
}

void text_open(struct text_report *text)
{
	const struct view *view = text->report->view;
	uint32_t closed = 0;
	while (view_iteration(view, closed))
		closed++;
	size_t room = (size_t)text->report->snapshot->resource_count + closed + 1;
	struct place *places = arena_array(text->names.arena, room, sizeof(*places));
	if (!places || room == 1)
		return;
	uint32_t open = open_places(text, places), count = open;
	for (uint32_t i = 0; i < closed; i++) {
		const struct rec_iteration *iteration = view_iteration(view, i);
		struct place *place = NULL;
		for (uint32_t low = 0, high = open; low < high;) {
			uint32_t middle = low + (high - low) / 2;
			struct place *at = &places[middle];
			if (at->stack == iteration->stack && at->kind == iteration->kind)
				place = at;
			if (place)
				break;
			if (at->stack < iteration->stack ||
			    (at->stack == iteration->stack && at->kind < iteration->kind))
				low = middle + 1;
			else
				high = middle;
		}
		if (!place) {
			place = &places[count++];
			*place = (struct place){ .stack = iteration->stack, .kind = iteration->kind };
		}
		place->closed = iteration;
	}
	if (!count)
		return;
	sort_items(places, count, sizeof(*places), place_before, NULL);
	text_line(text, 0, "iterators and other resources, by the place that opens them", 0);
	for (uint32_t i = 0; i < MIN_OF(count, PLACES_MOST); i++)
		put_place(text, &places[i]);
	if (count > PLACES_MOST)
		text_line(text, TEXT_INDENT,
			  names_format(&text->names, "and %u more places", count - PLACES_MOST), 0);
	out_newline(&text->out);
}
