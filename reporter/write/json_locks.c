#include "reporter/write/json_report.h"

#define LOCKS_MAX 100u /* the longest waited for first; and the places that take each: */
#define PLACES_MAX 20u

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
	json_object_id(self, "object", object);
	json_string(json, "kind", kind_name(row->kind));
	put_lock_counts(json, &row->counts);
	json_number(json, "places", row->place_count);
	json_begin(json, "stacks", '[');
	for (uint32_t i = 0; i < MIN_OF(row->place_count, PLACES_MAX); i++) {
		const struct lock_place *place = row->places[i];
		json_begin(json, NULL, '{');
		json_stack_id(json, "stack", names_stack(&self->names, place->stack));
		json_string(json, "mode", place->mode == MODE_SHARED ? "shared" : "exclusive");
		put_lock_counts(json, &place->counts);
		json_end(json, '}');
	}
	json_end(json, ']');
	json_end(json, '}');
}

void json_locks(struct json_report *self)
{
	json_begin(&self->json, "locks", '[');
	for (uint32_t i = 0; i < MIN_OF(self->locks.count, LOCKS_MAX); i++)
		put_lock(self, self->locks.rows[i]);
	json_end(&self->json, ']');
}
