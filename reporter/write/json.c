#include "reporter/write/writers.h"

#include <errno.h>
#include <string.h>

#include "reporter/mapped.h"
#include "reporter/write/accounts.h"
#include "reporter/write/gone.h"
#include "reporter/write/identity.h"
#include "reporter/write/json_out.h"
#include "reporter/write/json_why.h"
#include "reporter/write/locks.h"
#include "reporter/write/objects.h"
#include "reporter/write/signalled.h"

/*
 * The JSON report (schema: whoholds-1.schema.json beside this file). Stacks and
 * objects are written last, since only then is it known which of them were
 * spoken of.
 */

#define LOCKS_MAX 100u /* the longest waited for first; and the places that take each: */
#define PLACES_MAX 20u
#define SITES_MAX 100u /* past these nobody reads on, and a big server has tens of thousands */

struct json_report {
	struct json json;
	struct names names;
	struct accounts accounts;
};

static void put_text(struct json_report *self, const char *key, text_id text)
{
	const char *value = view_text(self->names.report->view, text);
	json_string(&self->json, key, *value ? value : NULL);
}

/* An age in seconds; null where it is unknown. */
static void put_age(struct json *json, const char *key, nsec_t since, nsec_t until)
{
	if (since)
		json_seconds(json, key, until > since ? until - since : 0);
	else
		json_null(json, key);
}

static void put_stack_id(struct json *json, const char *key, const struct named_stack *stack)
{
	if (stack->count)
		json_number(json, key, stack->id);
	else
		json_null(json, key);
}

static void put_object_id(struct json_report *self, const char *key, const struct object *object)
{
	json_string(&self->json, key, object ? object_id(&self->names, object) : NULL);
}

static void put_frames(struct json *json, const struct named_stack *stack)
{
	json_begin(json, "frames", '[');
	for (size_t i = 0; i < stack->count; i++) {
		const struct frame *frame = &stack->frames[i];
		json_begin(json, NULL, '{');
		json_string(json, "function", frame->function);
		if (frame->linkage)
			json_string(json, "linkage", frame->linkage);
		json_string(json, "file", frame->file);
		if (frame->line)
			json_number(json, "line", frame->line);
		else
			json_null(json, "line");
		json_string(json, "module", frame->module);
		json_hex(json, "offset", frame->offset);
		json_string(json, "build_id", frame->build_id);
		json_bool(json, "inlined", frame->inlined);
		json_end(json, '}');
	}
	json_end(json, ']');
}

/* -- head ------------------------------------------------------------------- */

/* The arguments: strings one behind the other, argv_bytes in all, none of it to be trusted. */
static void put_argv(struct json_report *self)
{
	struct json *json = &self->json;
	const struct view *view = self->names.report->view;
	uint64_t used = view_used(view, REC_STRINGS), start = view->header->argv;
	uint64_t bytes = view->header->argv_bytes;
	const char *strings = view->tables[REC_STRINGS];
	json_begin(json, "argv", '[');
	if (strings && start && start < used)
		for (const char *at = strings + start, *end = at + MIN_OF(bytes, used - start); at < end;) {
			size_t length = strnlen(at, (size_t)(end - at));
			json_bytes(json, NULL, at, length);
			at += length + 1;
		}
	json_end(json, ']');
}

static nsec_t elapsed(const struct report *report)
{
	const struct rec_header *header = report->view->header;
	nsec_t until = report->view->live || !header->ended_mono ? report->snapshot->now : header->ended_mono;
	return until > header->started_mono ? until - header->started_mono : 0;
}

static void put_process(struct json_report *self)
{
	struct json *json = &self->json;
	const struct report *report = self->names.report;
	const struct rec_header *header = report->view->header;
	json_begin(json, "process", '{');
	json_signed(json, "pid", header->pid);
	json_signed(json, "ppid", header->ppid);
	put_text(self, "exe", header->exe);
	put_argv(self);
	put_text(self, "host", header->host);
	json_time(json, "started", header->started_real);
	json_seconds(json, "elapsed_s", elapsed(report));
	if (report->has_exit_code)
		json_signed(json, "exit_code", report->exit_code);
	else
		json_null(json, "exit_code");
	if (report->signal)
		json_signed(json, "signal", report->signal);
	else
		json_null(json, "signal");
	json_end(json, '}');
}

static void put_coverage(struct json_report *self)
{
	struct json *json = &self->json;
	const struct rec_header *header = self->names.report->view->header;
	uint32_t flags = header->flags, degraded = header->degraded;
	bool sampled = flags & REC_ALLOC_SAMPLED;
	uint64_t lost = 0;
	for (unsigned i = 0; i < REC_TABLES; i++)
		lost += header->tables[i].lost;
	json_begin(json, "coverage", '{');
	json_string(json, "alloc", flags & REC_ALLOC_OFF ? "off" : sampled ? "sample" : "exact");
	if (sampled)
		json_number(json, "sample_bytes", header->sample_bytes);
	else
		json_null(json, "sample_bytes");
	json_string(json, "locks", flags & REC_LOCKS_OFF ? "off" : "on");
	json_number(json, "dropped_events", header->dropped_events);
	json_number(json, "truncated_stacks", header->truncated_stacks);
	json_number(json, "lost_entries", lost);
	if (header->verify_stacks) {
		json_begin(json, "verified_stacks", '{');
		json_number(json, "every", header->verify_stacks);
		json_number(json, "compared", header->stacks_compared);
		json_number(json, "mismatched", header->stacks_mismatched);
		json_number(json, "truncated", header->stacks_lost);
		json_end(json, '}');
	}
	if (header->unbound)
		put_text(self, "unbound", header->unbound);
	json_begin(json, "degraded", '[');
#define DEGRADED(id, name, sentence) \
	if (degraded & (uint32_t)REC_##id) \
		json_string(json, NULL, name);
#include "reporter/write/degraded.def"
	json_end(json, ']');
	json_end(json, '}');
}

/* The search that the findings are from. */
static void put_scan(struct json *json, const struct rec_scan *scan)
{
	json_begin(json, "search", '{');
	json_number(json, "blocks", scan->blocks);
	json_number(json, "bytes", scan->bytes);
	json_number(json, "read_bytes", scan->read_bytes);
	json_number(json, "images", scan->images);
	json_seconds(json, "took_s", scan->took);
	json_seconds(json, "cpu_s", scan->cpu);
	json_number(json, "memory_bytes", scan->memory);
	json_seconds(json, "pause_s", scan->pause);
	json_seconds(json, "fork_s", scan->fork);
	json_end(json, '}');
}

static void put_summary(struct json_report *self)
{
	struct json *json = &self->json;
	const struct accounts *accounts = &self->accounts;
	const struct snapshot *snapshot = self->names.report->snapshot;
	json_begin(json, "summary", '{');
	json_number(json, "errors", accounts->errors);
	json_number(json, "warnings", accounts->warnings);
	json_number(json, "infos", accounts->infos);
	json_number(json, "resolved", accounts->resolved);
	json_number(json, "suppressed", self->names.report->suppressed);
	json_begin(json, "by_kind", '{');
	for (unsigned kind = 0; kind < FINDING_COUNT; kind++)
		if (accounts->by_kind[kind])
			json_number(json, finding_kind_name(kind), accounts->by_kind[kind]);
	json_end(json, '}');
	json_begin(json, "heap", '{');
	json_number(json, "live_bytes", snapshot->live_bytes);
	json_number(json, "live_blocks", snapshot->live_blocks);
	json_number(json, "peak_bytes", snapshot->peak_bytes);
	json_number(json, "total_bytes", snapshot->total_bytes);
	json_number(json, "total_blocks", snapshot->total_blocks);
	json_end(json, '}');
	json_end(json, '}');
}

/* -- findings --------------------------------------------------------------- */

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
	if (item->thread)
		json_number(json, "thread", item->thread);
	else
		json_null(json, "thread");
	put_object_id(self, "object", object_of_item(&self->names, item));
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
	put_age(json, "since_s", item->since, account->until);
	json_string(json, "source", item->source < COUNT_OF(sources) ? sources[item->source] : "unknown");
	put_stack_id(json, "stack", stack);
	put_frames(json, stack);
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
		put_age(json, "began_s", item->since, finding->at);
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
	put_age(json, "since_s", finding->since, account->until);
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

/* -- threads, objects, sites, stacks ---------------------------------------- */

static void put_hold(struct json_report *self, const struct rec_hold *hold)
{
	struct json *json = &self->json;
	struct object *object = hold->state == HOLD_LIVE ? object_of_hold(&self->names, hold) : NULL;
	if (!object)
		return;
	json_begin(json, NULL, '{');
	put_object_id(self, "object", object);
	json_string(json, "mode", hold->mode == MODE_SHARED ? "shared" : "exclusive");
	json_number(json, "count", hold->count ? hold->count : 1);
	if (kind_has(hold->kind, KIND_IS_SIZED))
		json_number(json, "bytes", hold->bytes);
	put_age(json, "since_s", hold->since, self->names.report->snapshot->now);
	put_stack_id(json, "stack", names_stack(&self->names, hold->stack));
	json_end(json, '}');
}

static void put_wait(struct json_report *self, const struct snap_thread *thread)
{
	struct json *json = &self->json;
	if (!thread->waiting) {
		json_null(json, "waits");
		return;
	}
	json_begin(json, "waits", '{');
	put_object_id(self, "object", object_of_wait(&self->names, &thread->wait));
	json_string(json, "op", op_name(thread->wait.op));
	put_age(json, "since_s", thread->wait.since, self->names.report->snapshot->now);
	put_stack_id(json, "stack", names_stack(&self->names, thread->wait.stack));
	json_bool(json, "timed", thread->wait.timed);
	json_end(json, '}');
}

static const char *state_name(const struct snap_thread *thread)
{
	if (thread->state == THREAD_ENDED || thread->kernel_state == 'Z' || thread->kernel_state == 'X')
		return "exited";
	/* Asleep in the kernel without a wait that a hook saw: blocked all the same. */
	bool asleep =
	    thread->kernel_state == 'S' || thread->kernel_state == 'D' || thread->kernel_state == 'I';
	return thread->waiting || asleep ? "blocked" : "running";
}

static void put_thread(struct json_report *self, uint32_t index)
{
	struct json *json = &self->json;
	const struct snap_thread *thread = &self->names.report->snapshot->threads[index];
	json_begin(json, NULL, '{');
	json_number(json, "id", thread->id);
	json_signed(json, "tid", thread->tid);
	json_bytes(json, "name", thread->name, strnlen(thread->name, REC_NAME_BYTES));
	json_string(json, "state", state_name(thread));
	if (thread->kernel_state || thread->cpu_ns)
		json_seconds(json, "cpu_s", thread->cpu_ns);
	else
		json_null(json, "cpu_s");
	json_begin(json, "holds", '[');
	for (uint32_t i = 0; i < thread->hold_count; i++)
		put_hold(self, &thread->holds[i]);
	uint32_t count;
	const struct rec_hold **resources = thread_resources(&self->names, index, &count);
	for (uint32_t i = 0; i < count; i++)
		put_hold(self, resources[i]);
	json_end(json, ']');
	put_wait(self, thread);
	put_stack_id(json, "created_stack", names_stack(&self->names, thread->created_stack));
	put_stack_id(json, "now_stack", names_stack(&self->names, thread->now_stack));
	json_end(json, '}');
}

/* One that is spoken of, and has ended. */
static void put_gone_thread(struct json *json, const struct gone_thread *thread)
{
	json_begin(json, NULL, '{');
	json_number(json, "id", thread->id);
	json_signed(json, "tid", thread->tid);
	json_bytes(json, "name", thread->name ? thread->name : "",
		   thread->name ? strnlen(thread->name, REC_NAME_BYTES) : 0);
	json_string(json, "state", "exited");
	json_null(json, "cpu_s");
	json_begin(json, "holds", '[');
	json_end(json, ']');
	json_null(json, "waits");
	json_null(json, "created_stack");
	json_null(json, "now_stack");
	json_end(json, '}');
}

/* Who has last signalled it, and whether that thread can do so again; null: not known. */
static void put_signalled(struct json_report *self, const struct object *object)
{
	struct json *json = &self->json;
	nsec_t now = self->names.report->snapshot->now, ended;
	struct rec_signal signal;
	if (object->kind != KIND_COND && object->kind != KIND_SEM)
		return;
	if (!object_signal(&self->names, object, &signal)) {
		json_null(json, "signalled");
		return;
	}
	bool has_ended = signal_thread_ended(&self->names, &signal, &ended);
	json_begin(json, "signalled", '{');
	json_number(json, "thread", signal.thread);
	json_string(json, "thread_name",
		    names_format(&self->names, "%.*s", (int)sizeof signal.name, signal.name));
	json_string(json, "thread_state", has_ended ? "ended" : "running");
	if (ended && ended <= now)
		json_seconds(json, "thread_ended_s", now - ended);
	else
		json_null(json, "thread_ended_s");
	json_string(json, "op", op_name(signal.op));
	json_seconds(json, "since_s", now - signal.at);
	json_number(json, "count", signal.count);
	put_stack_id(json, "stack", names_stack(&self->names, signal.stack));
	json_end(json, '}');
}

static void put_object(struct json_report *self, struct object *object)
{
	struct json *json = &self->json;
	const char *name = object_name(&self->names, object);
	json_begin(json, NULL, '{');
	put_object_id(self, "id", object);
	json_string(json, "kind", kind_name(object->kind));
	if (kind_handle_sort(object->kind) == HANDLE_ADDRESS && object->handle && !object->target)
		json_hex(json, "address", object->handle);
	else
		json_null(json, "address");
	if (!name && object->target)
		name = names_thread(&self->names, object->target, NULL);
	else if (!name && kind_handle_sort(object->kind) != HANDLE_ADDRESS)
		name = object_text(&self->names, object, OBJECT_BRIEF);
	else if (!name)
		name = object->where;
	json_string(json, "name", name);
	put_stack_id(json, "created_stack", names_stack(&self->names, object->created_stack));
	json_begin(json, "holders", '[');
	for (const struct holder *at = object->holders; at; at = at->next)
		json_number(json, NULL, at->thread);
	json_end(json, ']');
	json_begin(json, "waiters", '[');
	for (const struct holder *at = object->waiters; at; at = at->next)
		json_number(json, NULL, at->thread);
	json_end(json, ']');
	put_signalled(self, object);
	json_end(json, '}');
}

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
		if (count == SITES_MAX && counts.live_bytes <= top[count - 1].counts.live_bytes)
			continue;
		uint32_t at = count < SITES_MAX ? count++ : count - 1;
		for (; at && top[at - 1].counts.live_bytes < counts.live_bytes; at--)
			top[at] = top[at - 1];
		top[at] = (struct top_site){ .stack = site->stack, .counts = counts };
	}
	return count;
}

static void put_sites(struct json_report *self)
{
	struct json *json = &self->json;
	struct top_site top[SITES_MAX];
	uint32_t count = top_sites(self->names.report->view, top);
	json_begin(json, "sites", '[');
	for (uint32_t i = 0; i < count; i++) {
		const struct site_counts *counts = &top[i].counts;
		json_begin(json, NULL, '{');
		put_stack_id(json, "stack", names_stack(&self->names, top[i].stack));
		json_number(json, "live_bytes", counts->live_bytes);
		json_number(json, "live_blocks", counts->live_blocks);
		json_number(json, "total_bytes", counts->total_bytes);
		json_number(json, "total_blocks", counts->total_blocks);
		json_number(json, "peak_bytes", counts->peak_bytes);
		json_end(json, '}');
	}
	json_end(json, ']');
}

/* What the program has mapped itself, where the option asks for it. */
static void put_mappings(struct json_report *self)
{
	struct json *json = &self->json;
	const struct snapshot *snapshot = self->names.report->snapshot;
	struct mapped_list list = mapped_by_place(snapshot, 0, self->names.arena);
	if (!list.count)
		return;
	json_begin(json, "mappings", '[');
	for (uint32_t i = 0; i < MIN_OF(list.count, SITES_MAX); i++) {
		json_begin(json, NULL, '{');
		put_stack_id(json, "stack", names_stack(&self->names, list.at[i].stack));
		json_number(json, "bytes", list.at[i].bytes);
		json_number(json, "count", list.at[i].count);
		put_age(json, "since_s", list.at[i].since, snapshot->now);
		json_end(json, '}');
	}
	json_end(json, ']');
}

static void put_lock_counts(struct json *json, const struct lock_counts *counts)
{
	json_number(json, "acquisitions", counts->taken);
	json_number(json, "contended", counts->waits);
	json_seconds(json, "wait_s", counts->waited);
	json_seconds(json, "longest_wait_s", counts->waited_most);
	json_seconds(json, "hold_s", counts->held);
	json_seconds(json, "longest_hold_s", counts->held_most);
	json_seconds(json, "delay_s", counts->made_wait);
}

static void put_lock(struct json_report *self, const struct lock_row *row)
{
	struct json *json = &self->json;
	struct object *object = row->handle ? object_get(&self->names, row->kind, row->handle, 0, 0) : NULL;
	json_begin(json, NULL, '{');
	put_object_id(self, "object", object);
	json_string(json, "kind", kind_name(row->kind));
	put_lock_counts(json, &row->counts);
	json_number(json, "places", row->place_count);
	json_begin(json, "stacks", '[');
	for (uint32_t i = 0; i < MIN_OF(row->place_count, PLACES_MAX); i++) {
		const struct lock_place *place = row->places[i];
		json_begin(json, NULL, '{');
		put_stack_id(json, "stack", names_stack(&self->names, place->stack));
		json_string(json, "mode", place->mode == MODE_SHARED ? "shared" : "exclusive");
		put_lock_counts(json, &place->counts);
		json_end(json, '}');
	}
	json_end(json, ']');
	json_end(json, '}');
}

static void put_locks(struct json_report *self, const struct lock_table *table)
{
	json_begin(&self->json, "locks", '[');
	for (uint32_t i = 0; i < MIN_OF(table->count, LOCKS_MAX); i++)
		put_lock(self, table->rows[i]);
	json_end(&self->json, ']');
}

static void put_stacks(struct json_report *self)
{
	struct json *json = &self->json;
	json_begin(json, "stacks", '[');
	for (const struct named_stack *stack = self->names.stacks; stack; stack = stack->next) {
		if (!stack->count)
			continue;
		json_begin(json, NULL, '{');
		json_number(json, "id", stack->id);
		json_bool(json, "truncated", stack->truncated);
		put_frames(json, stack);
		json_end(json, '}');
	}
	json_end(json, ']');
}

/* -- the report ------------------------------------------------------------- */

int write_json(const struct report *report, struct sink *sink)
{
	static const char *const triggers[] = {
		[TRIGGER_EXIT] = "exit",
		[TRIGGER_THRESHOLD] = "threshold",
		[TRIGGER_REQUEST] = "request",
		[TRIGGER_CRASH] = "crash",
	};
	struct out out;
	struct json_report *self = arena_alloc(report->arena, sizeof(*self));
	int error = self ? out_init(&out, sink, report->arena, false) : -ENOMEM;
	if (!error)
		error = names_init(&self->names, report);
	if (!error)
		error = accounts_make(&self->names, &self->accounts);
	if (error)
		return error;
	struct gone_threads gone;
	error = gone_threads_find(&self->names, &self->accounts, &gone);
	if (error)
		return error;
	struct json *json = &self->json;
	json->out = &out;
	json_begin(json, NULL, '{');
	json_string(json, "schema", "whoholds/1");
	json_begin(json, "tool", '{');
	json_string(json, "name", "whoholds");
	json_string(json, "version", WH_VERSION);
	json_end(json, '}');
	json_string(json, "trigger",
		    (unsigned)report->trigger < COUNT_OF(triggers) ? triggers[report->trigger] : "request");
	if (report_reason(report))
		json_string(json, "reason", report_reason(report));
	put_process(self);
	put_coverage(self);
	if (report->scan)
		put_scan(json, report->scan);
	if (report->why)
		json_why(json, &self->names, report->why);
	put_summary(self);
	json_begin(json, "findings", '[');
	for (uint32_t i = 0; i < self->accounts.count; i++)
		put_finding(self, &self->accounts.all[i]);
	json_end(json, ']');
	json_begin(json, "threads", '[');
	for (uint32_t i = 0; i < report->snapshot->thread_count; i++)
		put_thread(self, i);
	for (uint32_t i = 0; i < gone.count; i++)
		put_gone_thread(json, &gone.at[i]);
	json_end(json, ']');
	struct lock_table locks = { 0 };
	error = locks_collect(&self->names, &locks);
	if (error)
		return error;
	/* Before the objects, which they add to. */
	put_locks(self, &locks);
	json_begin(json, "objects", '[');
	for (struct object *object = self->names.objects; object; object = object->next)
		put_object(self, object);
	json_end(json, ']');
	put_sites(self);
	put_mappings(self);
	put_stacks(self);
	json_end(json, '}');
	out_raw(&out, "\n", 1);
	return out_finish(&out);
}
