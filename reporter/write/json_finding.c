#include "reporter/write/json_report.h"

static void put_finding_threads(struct json *json, const struct finding *finding)
{
	uint32_t count = finding_items(finding);
	json_begin(json, "threads", '[');
	if (finding->thread)
		json_number(json, NULL, finding->thread);
	for (uint32_t i = 0; i < count; i++) {
		thread_id thread = finding->items[i].thread;
		bool seen = !thread || thread == finding->thread;
		/* Who merely waits behind a cycle is told with its stack, but not one of those that make it. */
		seen = seen || (finding->kind == FINDING_deadlock && finding->items[i].role == ROLE_waits &&
				!finding_is_ring_wait(finding, &finding->items[i]));
		for (uint32_t j = 0; j < i && !seen; j++)
			seen = finding->items[j].thread == thread;
		if (!seen)
			json_number(json, NULL, thread);
	}
	json_end(json, ']');
}

static void put_item(struct json_report *self, const struct account *account, const struct finding_item *item)
{
	static const char *const sources[] = { "recorded", "looked-up", "running" };
	struct json *json = &self->json;
	const struct named_stack *stack = names_stack(&self->names, item->stack);
	json_begin(json, NULL, '{');
	json_string(json, "role", role_name(item->role));
	json_known(json, "thread", item->thread);
	json_object_id(self, "object", object_of_item(&self->names, item));
	if (item->mode)
		json_string(json, "mode", mode_name(item->mode));
	if (item->op)
		json_string(json, "op", op_name(item->op));
	if (item->amount)
		json_number(json, "bytes", item->amount);
	if (item->count > 1)
		json_number(json, "count", item->count);
	if (item->pid)
		json_number(json, "held_by_pid", (uint64_t)item->pid);
	json_age(json, "since_s", item->since, account->until);
	json_string(json, "source", item->source < COUNT_OF(sources) ? sources[item->source] : "unknown");
	json_stack_id(json, "stack", stack);
	json_frames(json, stack);
	json_end(json, '}');
}

static void put_finding_objects(struct json_report *self, const struct finding *finding)
{
	struct json *json = &self->json;
	const struct object *seen[FINDING_MAX_ITEMS];
	uint32_t seen_count = 0;
	json_begin(json, "objects", '[');
	for (uint32_t i = 0; i < finding_items(finding); i++) {
		const struct object *object = object_of_item(&self->names, &finding->items[i]);
		uint32_t at = 0;
		while (at < seen_count && seen[at] != object)
			at++;
		if (!object || at < seen_count)
			continue;
		seen[seen_count++] = object;
		json_string(json, NULL, object_id(&self->names, object));
	}
	json_end(json, ']');
}

/* Of a site that grows: what was live in each window of time, and what of it lasted, the oldest first. */
static void put_windows(struct json *json, const struct finding *finding)
{
	json_begin(json, "windows", '[');
	for (uint32_t i = 0; i < finding_items(finding); i++) {
		const struct finding_item *item = &finding->items[i];
		if (item->role != ROLE_kept)
			continue;
		json_begin(json, NULL, '{');
		json_age(json, "began_s", item->since, finding->at);
		json_number(json, "least_bytes", item->least);
		json_number(json, "kept_bytes", item->amount);
		json_number(json, "kept_count", item->count);
		json_end(json, '}');
	}
	json_end(json, ']');
}

static void put_arenas(struct json *json, const struct finding *finding)
{
	json_begin(json, "arenas", '[');
	for (uint32_t i = 0; i < finding_items(finding); i++) {
		const struct finding_item *item = &finding->items[i];
		if (item->role != ROLE_arena)
			continue;
		json_begin(json, NULL, '{');
		json_bool(json, "main", !item->serial);
		json_number(json, "taken_bytes", item->amount);
		json_number(json, "live_bytes", item->used);
		json_number(json, "live_blocks", item->count);
		json_end(json, '}');
	}
	json_end(json, ']');
}

static void put_finding(struct json_report *self, const struct account *account)
{
	struct json *json = &self->json;
	const struct finding *finding = account->finding;
	json_begin(json, NULL, '{');
	json_string(json, "id", account->id);
	json_string(json, "kind", finding_kind_name(finding->kind));
	json_string(json, "severity", severity_name(account->severity));
	json_string(json, "title", account->title);
	json_number(json, "bytes", finding->amount);
	json_number(json, "count", finding->count);
	json_number(json, "indirect_bytes", finding->indirect);
	json_bool(json, "cycle", finding->flags & FOUND_CYCLE);
	json_age(json, "since_s", finding->since, account->until);
	if (finding->limit)
		json_seconds(json, "limit_s", finding->limit);
	if (finding->longest) {
		json_seconds(json, "p50_s", finding->p50);
		json_seconds(json, "p99_s", finding->p99);
		json_seconds(json, "longest_s", finding->longest);
	}
	if (finding->rate)
		json_number(json, "bytes_per_s", finding->rate);
	if (account->over)
		json_seconds(json, "resolved_after_s", account_age(account));
	else
		json_null(json, "resolved_after_s");
	put_finding_threads(json, finding);
	json_begin(json, "stacks", '[');
	for (uint32_t i = 0; i < finding_items(finding); i++)
		if (finding->items[i].role != ROLE_kept && finding->items[i].role != ROLE_arena)
			put_item(self, account, &finding->items[i]);
	json_end(json, ']');
	if (finding->kind == FINDING_growth)
		put_windows(json, finding);
	if (finding->kind == FINDING_fragmentation)
		put_arenas(json, finding);
	put_finding_objects(self, finding);
	json_string(json, "suppression", account->suppression);
	json_end(json, '}');
}

void json_findings(struct json_report *self)
{
	json_begin(&self->json, "findings", '[');
	for (uint32_t i = 0; i < self->accounts.count; i++)
		put_finding(self, &self->accounts.all[i]);
	json_end(&self->json, ']');
}
