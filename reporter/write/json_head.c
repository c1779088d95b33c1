#include <string.h>

#include "reporter/write/json_report.h"

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

void json_process(struct json_report *self)
{
	struct json *json = &self->json;
	const struct report *report = self->names.report;
	const struct rec_header *header = report->view->header;
	json_begin(json, "process", '{');
	json_signed(json, "pid", header->pid);
	json_signed(json, "ppid", header->ppid);
	json_text(self, "exe", header->exe);
	put_argv(self);
	json_text(self, "host", header->host);
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

void json_coverage(struct json_report *self)
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
		json_text(self, "unbound", header->unbound);
	json_begin(json, "degraded", '[');
#define DEGRADED(id, name, sentence) \
	if (degraded & (uint32_t)REC_##id) \
		json_string(json, NULL, name);
#include "reporter/write/degraded.def"
	json_end(json, ']');
	json_end(json, '}');
}

void json_search(struct json_report *self, const struct rec_scan *scan)
{
	struct json *json = &self->json;
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

void json_summary(struct json_report *self)
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
