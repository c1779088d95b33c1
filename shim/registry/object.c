#include "registry/object.h"

#include "base/context.h"
#include "base/hash.h"
#include "platform/lock.h"
#include "platform/sys.h"
#include "registry/order.h"
#include "registry/recording.h"
#include "registry/thread.h"

/* Open addressing in private memory: object number + 1 by the hash of its address. */
#define INDEX_SIZE (1u << 19)
#define PROBES 64u

static struct lock lock;
static uint32_t *numbers;

/*
 * Objects that a forked child goes on to use together with its parent, or that say of themselves what may be done to
 * them: what is known of these it is told again. A child makes do without the rest.
 */
#define KEPT_MOST 256u
#define KEPT_ATTRIBUTES (OBJECT_SHARED | OBJECT_ROBUST)

struct kept {
	uint64_t address;
	uint32_t value;
	uint8_t kind;
	uint16_t attributes;
};

static struct kept kept[KEPT_MOST];
static uint32_t kept_count;
static bool any_to_keep;

static struct rec_object *object_at(uint32_t number)
{
	return (struct rec_object *)recording_table(REC_OBJECTS) + (number - 1);
}

/* The index entry of (kind, address); with `make`, one that can take it. NULL: none. */
static uint32_t *place_of(unsigned kind, uint64_t address, bool make)
{
	uint32_t *spare = NULL;
	uint32_t at = (uint32_t)hash_mix(address);
	for (unsigned probe = 0; probe < PROBES; probe++) {
		uint32_t *place = &numbers[(at + probe) % INDEX_SIZE];
		if (!*place)
			return make ? (spare ? spare : place) : NULL;
		const struct rec_object *object = object_at(*place);
		if (!object->state) {
			if (!spare)
				spare = place;
		} else if (object->address == address && (kind == KIND_NONE || object->kind == kind)) {
			return place;
		}
	}
	return make ? spare : NULL;
}

static struct rec_object *object_make(unsigned kind, uint64_t address)
{
	uint32_t *place = place_of(kind, address, true);
	if (!place) {
		recording_lost(REC_OBJECTS);
		return NULL;
	}
	/* The entry that stands there is of this address, or dead, or there is none yet. */
	if (!*place) {
		uint64_t at = recording_append(REC_OBJECTS, sizeof(struct rec_object));
		if (at == UINT64_MAX)
			return NULL;
		*place = (uint32_t)(at / sizeof(struct rec_object)) + 1;
	}
	return object_at(*place);
}

static bool ready(void)
{
	if (!numbers)
		numbers = sys_pages_lazy(INDEX_SIZE * sizeof *numbers);
	return numbers;
}

/* Those that a thread can have, so that an order of them can be learnt. */
static bool is_ordered(enum kind kind)
{
	return kind_has(kind, KIND_IS_OWNED) || kind == KIND_SEM;
}

void object_created(enum kind kind, uint64_t address, stack_id stack, uint32_t value, uint16_t attributes)
{
	if (is_ordered(kind))
		order_forget(address);
	self.busy++;
	if (recording && lock_take(&lock)) {
		struct rec_object *object = ready() ? object_make(kind, address) : NULL;
		if (object) {
			object->state = 0;
			object->address = address;
			object->created = sys_monotonic_coarse();
			object->created_stack = stack;
			object->name = 0;
			object->value = value;
			object->kind = (uint8_t)kind;
			object->attributes = attributes;
			any_to_keep = any_to_keep || (attributes & KEPT_ATTRIBUTES);
			__atomic_store_n(&object->state, 1, __ATOMIC_RELEASE);
		}
		lock_release(&lock);
	}
	self.busy--;
}

void object_destroyed(enum kind kind, uint64_t address)
{
	bool is_signal = false;
	self.busy++;
	if (numbers && lock_take(&lock)) {
		uint32_t *place = place_of(kind, address, false);
		if (place && *place) {
			is_signal =
			    kind == KIND_SEM && !(object_at(*place)->attributes & OBJECT_POSTED_BY_TAKER);
			__atomic_store_n(&object_at(*place)->state, 0, __ATOMIC_RELEASE);
		}
		lock_release(&lock);
	}
	self.busy--;
	if (is_signal)
		order_no_lock(address);
	if (is_ordered(kind))
		order_forget(address);
}

void object_marked(enum kind kind, uint64_t address, uint16_t attributes)
{
	self.busy++;
	if (numbers && lock_take(&lock)) {
		const uint32_t *place = place_of(kind, address, false);
		if (place && *place)
			object_at(*place)->attributes |= attributes;
		lock_release(&lock);
	}
	self.busy--;
	if (attributes & OBJECT_POSTED_BY_OTHER)
		order_no_lock(address);
}

uint32_t object_units(uint64_t address)
{
	uint32_t units = 0;
	self.busy++;
	if (numbers && lock_take(&lock)) {
		const uint32_t *place = place_of(KIND_SEM, address, false);
		const struct rec_object *object = place && *place ? object_at(*place) : NULL;
		if (object && object->state &&
		    !(object->attributes & (OBJECT_POSTED_BY_OTHER | OBJECT_SHARED)))
			units = object->value;
		lock_release(&lock);
	}
	self.busy--;
	return units;
}

stack_id object_made(enum kind kind, uint64_t address)
{
	stack_id stack = 0;
	self.busy++;
	if (numbers && lock_take(&lock)) {
		const uint32_t *place = place_of(kind, address, false);
		if (place && *place && object_at(*place)->state)
			stack = object_at(*place)->created_stack;
		lock_release(&lock);
	}
	self.busy--;
	return stack;
}

void object_named(uint64_t address, const char *name)
{
	self.busy++;
	text_id text = recording ? recording_text(name) : 0;
	if (text && lock_take(&lock)) {
		uint32_t *place = ready() ? place_of(KIND_NONE, address, false) : NULL;
		struct rec_object *object = place && *place ? object_at(*place) : NULL;
		if (!object && numbers) {
			object = object_make(KIND_NONE, address);
			if (object) {
				object->address = address;
				object->created = sys_monotonic_coarse();
				object->created_stack = 0;
				object->value = 0;
				object->kind = KIND_NONE;
				object->attributes = 0;
				__atomic_store_n(&object->state, 1, __ATOMIC_RELEASE);
			}
		}
		if (object)
			object->name = text;
		lock_release(&lock);
	}
	self.busy--;
}

/* The parent goes on meanwhile: what it makes or destroys at this moment may be missed, or kept. */
static void keep_some(void)
{
	const struct view *view = recording_view();
	uint64_t count = view_used(view, REC_OBJECTS) / sizeof(struct rec_object);
	kept_count = 0;
	for (uint32_t number = 1; any_to_keep && number <= count && kept_count < KEPT_MOST; number++) {
		const struct rec_object *object = object_at(number);
		if (__atomic_load_n(&object->state, __ATOMIC_ACQUIRE) &&
		    (object->attributes & KEPT_ATTRIBUTES))
			kept[kept_count++] =
			    (struct kept){ object->address, object->value, object->kind, object->attributes };
	}
	any_to_keep = false;
}

void object_fork_restore(void)
{
	for (uint32_t i = 0; i < kept_count; i++)
		object_created((enum kind)kept[i].kind, kept[i].address, 0, kept[i].value,
			       kept[i].attributes);
}

void object_fork_child(void)
{
	keep_some();
	if (numbers)
		sys_pages_free(numbers, INDEX_SIZE * sizeof *numbers);
	numbers = NULL;
	lock.word = 0;
}
