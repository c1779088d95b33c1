#include "reporter/mapped.h"
#include "reporter/write/json_report.h"

struct top_site {
	stack_id stack;
	struct site_counts counts;
};

/* The sites with the most live bytes, the largest first. */
static uint32_t top_sites(const struct view *view, struct top_site *top)
{
	uint32_t count = 0;
	for (uint32_t i = 1; i < view_sites(view); i++) {
		const struct rec_site *site = view_site(view, i);
		struct site_counts counts = view_site_counts(view, i);
		if (!site || !counts.live_bytes)
			continue;
		if (count == JSON_SITES_MAX && counts.live_bytes <= top[count - 1].counts.live_bytes)
			continue;
		uint32_t at = count < JSON_SITES_MAX ? count++ : count - 1;
		for (; at && top[at - 1].counts.live_bytes < counts.live_bytes; at--)
			top[at] = top[at - 1];
		top[at] = (struct top_site){ .stack = site->stack, .counts = counts };
	}
	return count;
}

void json_sites(struct json_report *self)
{
	struct json *json = &self->json;
	struct top_site top[JSON_SITES_MAX];
	uint32_t count = top_sites(self->names.report->view, top);
	json_begin(json, "sites", '[');
	for (uint32_t i = 0; i < count; i++) {
		const struct site_counts *counts = &top[i].counts;
		json_begin(json, NULL, '{');
		json_stack_id(json, "stack", names_stack(&self->names, top[i].stack));
		json_number(json, "live_bytes", counts->live_bytes);
		json_number(json, "live_blocks", counts->live_blocks);
		json_number(json, "total_bytes", counts->total_bytes);
		json_number(json, "total_blocks", counts->total_blocks);
		json_number(json, "peak_bytes", counts->peak_bytes);
		json_end(json, '}');
	}
	json_end(json, ']');
}

void json_mappings(struct json_report *self)
{
	struct json *json = &self->json;
	const struct snapshot *snapshot = self->names.report->snapshot;
	struct mapped_list list = mapped_by_place(snapshot, 0, self->names.arena);
	if (!list.count)
		return;
	json_begin(json, "mappings", '[');
	for (uint32_t i = 0; i < MIN_OF(list.count, JSON_SITES_MAX); i++) {
		json_begin(json, NULL, '{');
		json_stack_id(json, "stack", names_stack(&self->names, list.at[i].stack));
		json_number(json, "bytes", list.at[i].bytes);
		json_number(json, "count", list.at[i].count);
		json_age(json, "since_s", list.at[i].since, snapshot->now);
		json_end(json, '}');
	}
	json_end(json, ']');
}
