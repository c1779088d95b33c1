#include "reporter/write/json_report.h"

static const char *const roots[] = {
	[ROOT_NONE] = "block",
	[ROOT_DATA] = "variable",
	[ROOT_STACK] = "stack",
	[ROOT_TLS] = "thread-local",
	[ROOT_SPECIFIC] = "thread-specific",
	[ROOT_REGISTER] = "register",
	[ROOT_MAPPING] = "mapping",
	[ROOT_LOADER] = "loader",
};

static void put_stack(struct json_report *self, stack_id stack)
{
	json_stack_id(&self->json, "stack", names_stack(&self->names, stack));
}

static void put_step(struct json_report *self, const struct rec_why_step *step)
{
	struct json *json = &self->json;
	const struct report *report = self->names.report;
	json_begin(json, NULL, '{');
	json_string(json, "holder", step->root < COUNT_OF(roots) ? roots[step->root] : "unknown");
	if (step->place)
		json_hex(json, "place", step->place);
	else
		json_null(json, "place");
	if (step->root == ROOT_DATA)
		json_string(
		    json, "name",
		    report->symbolizer->data(report->symbolizer, report->view, step->place, report->arena));
	if (step->thread)
		json_number(json, "thread", step->thread);
	if (step->root == ROOT_STACK && step->frame)
		json_number(json, "frame", step->frame);
	if (step->block) {
		json_hex(json, "block", step->block);
		json_number(json, "bytes", step->bytes);
		if (step->place)
			json_number(json, "offset", step->place - step->block);
	}
	put_stack(self, step->stack);
	json_end(json, '}');
}

static void put_path(struct json_report *self, const struct rec_why_path *path)
{
	struct json *json = &self->json;
	json_begin(json, NULL, '{');
	json_hex(json, "block", path->block);
	json_number(json, "bytes", path->bytes);
	put_stack(self, path->stack);
	json_bool(json, "lost", path->lost);
	if (path->retained_blocks) {
		json_number(json, "retained_bytes", path->retained_bytes);
		json_number(json, "retained_blocks", path->retained_blocks);
	}
	json_number(json, "length", path->length);
	json_begin(json, "path", '[');
	for (uint32_t i = 0; i < MIN_OF(path->step_count, REC_WHY_STEPS); i++)
		put_step(self, &path->steps[i]);
	json_end(json, ']');
	json_end(json, '}');
}

void json_why(struct json_report *self, const struct rec_why *why)
{
	struct json *json = &self->json;
	json_begin(json, "why", '{');
	if (why->what == WHY_OF_SITE) {
		put_stack(self, (stack_id)why->value);
		json_number(json, "live_bytes", why->site_bytes);
		json_number(json, "live_blocks", why->site_blocks);
	} else {
		json_hex(json, "address", why->value);
	}
	json_number(json, "retained_bytes", why->retained_bytes);
	json_number(json, "retained_blocks", why->retained_blocks);
	json_seconds(json, "pause_s", why->pause);
	json_seconds(json, "took_s", why->took);
	json_seconds(json, "cpu_s", why->cpu);
	json_begin(json, "blocks", '[');
	for (uint32_t i = 0; i < MIN_OF(why->path_count, REC_WHY_PATHS); i++)
		put_path(self, &why->paths[i]);
	json_end(json, ']');
	json_end(json, '}');
}
