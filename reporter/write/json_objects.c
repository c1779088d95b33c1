#include "reporter/write/json_report.h"
#include "reporter/write/signalled.h"

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
	json_stack_id(json, "stack", names_stack(&self->names, signal.stack));
	json_end(json, '}');
}

static void put_object(struct json_report *self, struct object *object)
{
	struct json *json = &self->json;
	const char *name = object_name(&self->names, object);
	json_begin(json, NULL, '{');
	json_object_id(self, "id", object);
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
	json_stack_id(json, "created_stack", names_stack(&self->names, object->created_stack));
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

void json_objects(struct json_report *self)
{
	json_begin(&self->json, "objects", '[');
	for (struct object *object = self->names.objects; object; object = object->next)
		put_object(self, object);
	json_end(&self->json, ']');
}
