#include "reporter/write/writers.h"

#include <errno.h>

#include "reporter/write/json_report.h"

/*
 * The JSON report (schema: whoholds-1.schema.json beside this file). Stacks and
 * objects are written last, since only then is it known which of them were
 * spoken of.
 */

/* -- what several parts put ------------------------------------------------- */

void json_known(struct json *json, const char *key, uint64_t value)
{
	if (value)
		json_number(json, key, value);
	else
		json_null(json, key);
}

void json_text(struct json_report *self, const char *key, text_id text)
{
	const char *value = view_text(self->names.report->view, text);
	json_string(&self->json, key, *value ? value : NULL);
}

void json_age(struct json *json, const char *key, nsec_t since, nsec_t until)
{
	if (since)
		json_seconds(json, key, until > since ? until - since : 0);
	else
		json_null(json, key);
}

void json_stack_id(struct json *json, const char *key, const struct named_stack *stack)
{
	json_known(json, key, stack->count ? stack->id : 0);
}

void json_object_id(struct json_report *self, const char *key, const struct object *object)
{
	json_string(&self->json, key, object ? object_id(&self->names, object) : NULL);
}

void json_frames(struct json *json, const struct named_stack *stack)
{
	json_begin(json, "frames", '[');
	for (size_t i = 0; i < stack->count; i++) {
		const struct frame *frame = &stack->frames[i];
		json_begin(json, NULL, '{');
		json_string(json, "function", frame->function);
		if (frame->linkage)
			json_string(json, "linkage", frame->linkage);
		json_string(json, "file", frame->file);
		json_known(json, "line", frame->line);
		json_string(json, "module", frame->module);
		json_hex(json, "offset", frame->offset);
		json_string(json, "build_id", frame->build_id);
		json_bool(json, "inlined", frame->inlined);
		json_end(json, '}');
	}
	json_end(json, ']');
}

/* -- the report ------------------------------------------------------------- */

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
		json_frames(json, stack);
		json_end(json, '}');
	}
	json_end(json, ']');
}

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
	if (!error)
		error = gone_threads_find(&self->names, &self->accounts, &self->gone);
	if (!error)
		error = locks_collect(&self->names, &self->locks);
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
	json_process(self);
	json_coverage(self);
	if (report->scan)
		json_search(self, report->scan);
	if (report->why)
		json_why(self, report->why);
	json_summary(self);
	json_findings(self);
	json_threads(self);
	json_locks(self);
	/* Last of all what was spoken of: objects, and stacks. */
	json_objects(self);
	json_sites(self);
	json_mappings(self);
	put_stacks(self);
	json_end(json, '}');
	out_raw(&out, "\n", 1);
	return out_finish(&out);
}
