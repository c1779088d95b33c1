#include "reporter/write/identity.h"

#include <string.h>

#include "base/hash.h"
#include "reporter/write/accounts.h"
#include "reporter/write/objects.h"

static bool identifies(const struct finding *finding, const struct finding_item *item)
{
	static const struct {
		enum finding_kind kind;
		uint32_t roles;
	} table[] = {
#define ROLE_BIT(role) (1u << ROLE_##role)
#define IDENTITY(kind_, roles_) { FINDING_##kind_, roles_ },
#include "reporter/write/identity.def"
#undef ROLE_BIT
	};
	_Static_assert(ROLE_COUNT <= 32, "a bit a role");
	if (item->role >= ROLE_COUNT)
		return false;
	if (finding->kind == FINDING_deadlock && item->role == ROLE_waits &&
	    !finding_is_ring_wait(finding, item))
		return false;
	for (size_t i = 0; i < COUNT_OF(table); i++)
		if (finding->kind == table[i].kind)
			return table[i].roles >> item->role & 1;
	return item->role != ROLE_now;
}

static uint64_t hash_bytes(uint64_t hash, const char *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		hash = (hash ^ (unsigned char)bytes[i]) * UINT64_C(0x100000001b3); /* FNV-1a, as hash_text */
	return hash;
}

/* The name that stands for a frame in a hash; *ret_length bytes of it. */
static const char *stable_name(const struct frame *frame, size_t *ret_length)
{
	if (frame->function)
		return function_stem(frame->function, ret_length);
	const char *module = path_base(frame->module);
	*ret_length = strlen(module);
	return module;
}

/* 0: there is nothing to tell this stack from another by. */
static uint64_t hash_named_stack(const struct named_stack *stack, bool own_alone)
{
	uint64_t hash = hash_text("");
	const char *before = NULL;
	size_t before_length = 0;
	for (size_t i = 0; i < stack->count; i++) {
		if (own_alone && !frame_is_own(&stack->frames[i]))
			continue;
		size_t length;
		const char *name = stable_name(&stack->frames[i], &length);
		if (before && length == before_length && memcmp(name, before, length) == 0)
			continue;
		hash = hash_bytes(hash, name, length);
		hash = hash_bytes(hash, "\n", 1);
		before = name;
		before_length = length;
	}
	return before ? hash_mix(hash) : 0;
}

static uint64_t hash_item(struct names *names, const struct finding_item *item)
{
	const struct named_stack *stack = names_stack(names, item->stack);
	uint64_t hash = hash_named_stack(stack, true);
	if (!hash)
		hash = hash_named_stack(stack, false);
	return hash ? hash_add(hash, hash_text(role_name(item->role))) : 0;
}

const char *finding_id(struct names *names, const struct finding *finding)
{
	uint64_t seen[64];
	size_t seen_count = 0;
	uint64_t sum = 0;
	const char *kind = finding_kind_name(finding->kind);
	for (uint32_t i = 0; i < finding_items(finding); i++) {
		const struct finding_item *item = &finding->items[i];
		uint64_t hash = identifies(finding, item) ? hash_item(names, item) : 0;
		size_t at = 0;
		while (at < seen_count && seen[at] != hash)
			at++;
		if (!hash || at < seen_count)
			continue;
		/* More different stacks than this are told apart by those that were met first. */
		if (seen_count == COUNT_OF(seen))
			break;
		seen[seen_count++] = hash;
		sum += hash_mix(hash);
	}
	uint64_t hash = hash_add(hash_add(hash_text(kind), IDENTITY_VERSION), sum);
	return names_format(names, "%s-%08x", kind, (unsigned)(hash ^ hash >> 32));
}

const struct finding_item *finding_main_item(const struct finding *finding)
{
	uint32_t count = finding_items(finding);
	for (uint32_t i = 0; i < count; i++)
		if (finding->items[i].flags & ITEM_SUBJECT)
			return &finding->items[i];
	for (uint32_t i = 0; i < count; i++)
		if (finding->items[i].stack)
			return &finding->items[i];
	return count ? &finding->items[0] : NULL;
}

const char *finding_suppression(struct names *names, const struct finding *finding)
{
	const char *kind = finding_kind_name(finding->kind);
	const struct finding_item *item = finding_main_item(finding);
	const struct frame *frame = item ? names_own_frame(names, item->stack) : NULL;
	for (uint32_t i = 0; i < finding_items(finding) && !frame; i++)
		frame = names_own_frame(names, finding->items[i].stack);
	/* A whole module is a wide net, but where there are no symbols there is no finer one. */
	const char *pattern = "";
	if (frame && frame->function)
		pattern = names_frame_function(names, frame);
	else if (frame)
		pattern = path_base(frame->module);
	size_t length = strlen(pattern);
	if (!length)
		return names_format(names, "%s:*", kind);
	/* A '$' at the end would tie the pattern to the end of the name. */
	return names_format(names, "%s:%s%s", kind, pattern, pattern[length - 1] == '$' ? "*" : "");
}
