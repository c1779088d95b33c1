#include "reporter/symbolize/debug.h"

#include <string.h>

#include <dwarf.h>

#include "base/text.h"

#define STEPS_MOST 64u /* typedefs and members on the way to a byte */
#define MEMBERS_MOST 65536u
#define DIMENSIONS_MOST 8u

static bool type_of(Dwarf_Die *die, Dwarf_Die *ret_type)
{
	Dwarf_Attribute attribute;
	return dwarf_attr_integrate(die, DW_AT_type, &attribute) && dwarf_formref_die(&attribute, ret_type);
}

static bool is_lock(Dwarf_Die *type)
{
	static const char *const locks[] = {
#define LOCK_TYPE(name) name,
#include "reporter/symbolize/locks.def"
#undef LOCK_TYPE
	};
	const char *name = dwarf_diename(type);
	for (size_t i = 0; name && i < COUNT_OF(locks); i++)
		if (strcmp(name, locks[i]) == 0)
			return true;
	return false;
}

/* Through typedefs and qualifiers to what a type is made of, or (`to_lock`) to a lock if that comes first. */
static bool peel(Dwarf_Die *type, bool to_lock)
{
	for (unsigned steps = 0; steps < STEPS_MOST; steps++) {
		if (to_lock && is_lock(type))
			return true;
		Dwarf_Attribute attribute;
		Dwarf_Die next;
		switch (dwarf_tag(type)) {
		case DW_TAG_typedef:
		case DW_TAG_const_type:
		case DW_TAG_volatile_type:
		case DW_TAG_restrict_type:
		case DW_TAG_atomic_type:
			if (!type_of(type, &next))
				return false;
			*type = next;
			break;
		case DW_TAG_structure_type:
		case DW_TAG_class_type:
		case DW_TAG_union_type:
			/* A declaration whose definition is in a type unit. */
			if (!dwarf_attr(type, DW_AT_signature, &attribute))
				return true;
			if (!dwarf_formref_die(&attribute, &next))
				return false;
			*type = next;
			break;
		default:
			return true;
		}
	}
	return false;
}

/* Elements of one dimension; 0: unknown. */
static uint64_t dimension(Dwarf_Die *range)
{
	Dwarf_Attribute attribute;
	Dwarf_Word value;
	if (dwarf_attr(range, DW_AT_count, &attribute) && dwarf_formudata(&attribute, &value) == 0)
		return value;
	if (dwarf_attr(range, DW_AT_upper_bound, &attribute) && dwarf_formudata(&attribute, &value) == 0)
		return value + 1;
	return 0;
}

/* The dimensions of an array, outermost first; 0: unknown. Return: how many. */
static unsigned dimensions_of(Dwarf_Die *array, uint64_t counts[DIMENSIONS_MOST])
{
	Dwarf_Die range;
	unsigned count = 0;
	if (dwarf_child(array, &range) != 0)
		return 0;
	while (count < DIMENSIONS_MOST) {
		if (dwarf_tag(&range) == DW_TAG_subrange_type)
			counts[count++] = dimension(&range);
		Dwarf_Die next;
		if (dwarf_siblingof(&range, &next) != 0 || next.addr <= range.addr)
			break;
		range = next;
	}
	return count;
}

/* libdw's own function does not follow a declaration to its type unit. */
bool debug_type_bytes(Dwarf_Die *type, uint64_t *ret_bytes)
{
	Dwarf_Word bytes;
	uint64_t times = 1;
	Dwarf_Die at = *type;
	for (unsigned steps = 0; steps < STEPS_MOST; steps++) {
		if (!peel(&at, false))
			return false;
		if (dwarf_aggregate_size(&at, &bytes) == 0)
			return !__builtin_mul_overflow(bytes, times, ret_bytes) && *ret_bytes;
		uint64_t counts[DIMENSIONS_MOST];
		Dwarf_Die element;
		if (dwarf_tag(&at) != DW_TAG_array_type || !type_of(&at, &element))
			return false;
		for (unsigned i = dimensions_of(&at, counts); i--;)
			if (__builtin_mul_overflow(times, counts[i], &times))
				return false;
		at = element;
	}
	return false;
}

static bool member_offset(Dwarf_Die *member, uint64_t *ret_offset)
{
	Dwarf_Attribute attribute;
	Dwarf_Word offset = 0;
	if (dwarf_attr(member, DW_AT_data_member_location, &attribute)) {
		Dwarf_Op *ops;
		size_t count;
		if (dwarf_formudata(&attribute, &offset) != 0) {
			if (dwarf_getlocation(&attribute, &ops, &count) != 0 || count != 1 ||
			    ops[0].atom != DW_OP_plus_uconst)
				return false;
			offset = ops[0].number;
		}
	}
	*ret_offset = offset;
	return true;
}

/*
 * The member or base class of `type` that holds byte `*offset`: its type in `type`, the byte inside it in
 * `*offset`, its name (NULL: it has none) in `*ret_name`. Of a union's members a lock goes first. False: none does.
 */
static bool enter_member(Dwarf_Die *type, uint64_t *offset, const char **ret_name)
{
	Dwarf_Die member;
	Dwarf_Die found;
	uint64_t found_offset = 0;
	bool any = false;
	if (dwarf_child(type, &member) != 0)
		return false;
	for (uint32_t i = 0; i < MEMBERS_MOST; i++) {
		int tag = dwarf_tag(&member);
		Dwarf_Die inner;
		uint64_t start;
		uint64_t bytes;
		if ((tag == DW_TAG_member || tag == DW_TAG_inheritance) &&
		    !dwarf_hasattr(&member, DW_AT_declaration) && !dwarf_hasattr(&member, DW_AT_external) &&
		    member_offset(&member, &start) && start <= *offset && type_of(&member, &inner) &&
		    debug_type_bytes(&inner, &bytes) && *offset - start < bytes) {
			bool lock = peel(&inner, true) && is_lock(&inner);
			if (lock || !any) {
				found = member;
				found_offset = start;
				any = true;
			}
			if (lock)
				break;
		}
		Dwarf_Die next;
		if (dwarf_siblingof(&member, &next) != 0 || next.addr <= member.addr)
			break;
		member = next;
	}
	if (!any || !type_of(&found, type))
		return false;
	*ret_name = dwarf_tag(&found) == DW_TAG_member ? dwarf_diename(&found) : NULL;
	*offset -= found_offset;
	return true;
}

/* Into the element of an array that holds byte `*offset`, writing its indices. */
static bool enter_element(Dwarf_Die *type, uint64_t *offset, struct text *text)
{
	Dwarf_Die element;
	uint64_t bytes;
	uint64_t counts[DIMENSIONS_MOST];
	unsigned dimensions = dimensions_of(type, counts);
	if (!dimensions || !type_of(type, &element) || !debug_type_bytes(&element, &bytes))
		return false;
	uint64_t index = *offset / bytes;
	for (unsigned i = 0; i < dimensions; i++) {
		uint64_t below = 1;
		for (unsigned j = i + 1; j < dimensions; j++)
			if (!counts[j] || __builtin_mul_overflow(below, counts[j], &below))
				return false;
		text_format(text, "[%lu]", index / below);
		index %= below;
	}
	*offset %= bytes;
	*type = element;
	return true;
}

/*
 * "scan::lock" for a static local variable of C, whose symbol is "lock.0" (gcc) or "scan.lock" (clang); C++ symbols
 * say where they are themselves. False: it is no such variable.
 */
static bool put_local(struct debug *debug, const struct variable *variable, const char *symbol,
		      struct text *text)
{
	Dwarf_Die function = variable->function;
	Dwarf_Die die = variable->die;
	const char *name = dwarf_diename(&die);
	const char *outer;
	const char *linkage;
	if (!function.addr || !name || strchr(symbol, ':'))
		return false;
	debug_name(debug, &function, &outer, &linkage);
	size_t length = strlen(symbol);
	size_t tail = strlen(name);
	if (outer)
		text_format(text, "%s::%s", outer, name);
	else if (length > tail + 1 && symbol[length - tail - 1] == '.' &&
		 strcmp(symbol + length - tail, name) == 0)
		/* clang forgets the name of a function that is inlined everywhere. */
		text_format(text, "%.*s::%s", (int)(length - tail - 1), symbol, name);
	else
		return false;
	return true;
}

void debug_member(struct debug *debug, const struct variable *variable, const char *symbol, uint64_t address,
		  char *buffer, size_t size)
{
	struct text text = { .at = buffer, .size = size };
	Dwarf_Die die = variable->die;
	if (!symbol || !put_local(debug, variable, symbol, &text)) {
		const char *name = symbol;
		const char *linkage;
		if (!name)
			debug_name(debug, &die, &name, &linkage);
		text_put(&text, name ? name : "?");
	}
	uint64_t offset = address - variable->address;
	/* Once the byte is the first of something, members are named further only if they lead to a lock. */
	struct text first = text;
	uint64_t first_offset = offset;
	bool exact = offset == 0;
	Dwarf_Die type;
	bool known = type_of(&die, &type);
	for (unsigned steps = 0; known && steps < STEPS_MOST && peel(&type, true) && !is_lock(&type);
	     steps++) {
		const char *member = NULL;
		int tag = dwarf_tag(&type);
		if (tag == DW_TAG_array_type)
			known = enter_element(&type, &offset, &text);
		else if (tag == DW_TAG_structure_type || tag == DW_TAG_class_type || tag == DW_TAG_union_type)
			known = enter_member(&type, &offset, &member);
		else
			break;
		if (known && member)
			text_format(&text, ".%s", member);
		/* What has no name is not a step: it could not be told from what is around it. */
		if (!known || exact || (!member && tag != DW_TAG_array_type))
			continue;
		first = text;
		first_offset = offset;
		exact = offset == 0;
	}
	if (!known || !is_lock(&type) || offset) {
		text = first;
		offset = first_offset;
		buffer[text.used] = '\0';
	}
	if (offset)
		text_format(&text, "+%lu", offset);
}
