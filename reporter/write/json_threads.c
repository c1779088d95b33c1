#include <string.h>

#include "reporter/write/json_report.h"

static void put_hold(struct json_report *self, const struct rec_hold *hold)
{
	struct json *json = &self->json;
	struct object *object = hold->state == HOLD_LIVE ? object_of_hold(&self->names, hold) : NULL;
	if (!object)
		return;
	json_begin(json, NULL, '{');
	json_object_id(self, "object", object);
	json_string(json, "mode", hold->mode == MODE_SHARED ? "shared" : "exclusive");
	json_number(json, "count", hold->count ? hold->count : 1);
	if (kind_has(hold->kind, KIND_IS_SIZED))
		json_number(json, "bytes", hold->bytes);
	json_age(json, "since_s", hold->since, self->names.report->snapshot->now);
	json_stack_id(json, "stack", names_stack(&self->names, hold->stack));
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
	json_object_id(self, "object", object_of_wait(&self->names, &thread->wait));
	json_string(json, "op", op_name(thread->wait.op));
	json_age(json, "since_s", thread->wait.since, self->names.report->snapshot->now);
	json_stack_id(json, "stack", names_stack(&self->names, thread->wait.stack));
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
	json_stack_id(json, "created_stack", names_stack(&self->names, thread->created_stack));
	json_stack_id(json, "now_stack", names_stack(&self->names, thread->now_stack));
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

void json_threads(struct json_report *self)
{
	json_begin(&self->json, "threads", '[');
	for (uint32_t i = 0; i < self->names.report->snapshot->thread_count; i++)
		put_thread(self, i);
	for (uint32_t i = 0; i < self->gone.count; i++)
		put_gone_thread(&self->json, &self->gone.at[i]);
	json_end(&self->json, ']');
}
