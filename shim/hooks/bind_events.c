/*
 * What a bound function acquires and releases: told to the registry, before and
 * after the real call.
 *
 * A release that can't fail ends the hold before the call, after which the handle may be another thread's. One
 * whose result says whether it did (`when`) ends it afterwards, if it is still the hold that was there before.
 *
 * Many a release may be called as often as one likes (sqlite3_reset), and what a library counts references to is released by each who
 * has one. So a second release is wrong only where the handle was a block of memory that is gone (release_begin).
 */
#include "hooks/bind.h"
#include "hooks/bind_entries.h"
#include "hooks/bind_table.h"
#include "hooks/hook.h"

#include "base/hash.h"
#include "hooks/descriptor.h"
#include "registry/opened.h"
#include "registry/release.h"
#include "stack/memory.h"

/* Lower ones, and those that are no address at all, are numbers that a mistaken line takes for pointers. */
#define FIRST_ADDRESS UINT64_C(0x10000)
#define LAST_ADDRESS UINT64_C(0x7fffffffffff)

/*
 * Reads where an argument points to. What the real function was called with may be anything if the line is wrong about it: a page that
 * this thread has not read from lately is asked for first.
 */
READS_STACKS static bool read_there(uint64_t address, bool is_int, uint64_t *ret_value)
{
	static __thread uint64_t known TLS_IE; /* page number + 1 */
	uint64_t page = address / MEMORY_PAGE + 1;
	if (address < FIRST_ADDRESS || address > LAST_ADDRESS || address % (is_int ? 4 : 8))
		return false;
	if (page != known) {
		if (!memory_readable(address))
			return false;
		known = page;
	}
	*ret_value = is_int ? *(const uint32_t *)address : *(const uint64_t *)address;
	return true;
}

ALWAYS_INLINE uint64_t argument(const struct bound_call *call, const void *frame, unsigned number)
{
	if (LIKELY(number <= COUNT_OF(call->arguments)))
		return call->arguments[number - 1];
	/* Above the return address; the real function had a copy. */
	return ((const uint64_t *)frame)[2 + number - COUNT_OF(call->arguments) - 1];
}

/* Return: false: there is none, or it can't be read. */
ALWAYS_INLINE bool value_of(struct pair_value value, const struct bound_call *call, const void *frame,
			    uint64_t *ret_value)
{
	uint64_t word;
	switch ((enum pair_source)value.source) {
	case PAIR_RET:
		word = call->result;
		break;
	case PAIR_ARG:
		word = argument(call, frame, value.number);
		break;
	case PAIR_AT_ARG:
		if (!read_there(argument(call, frame, value.number) +
				    value.word * (value.is_int ? sizeof(int) : sizeof word),
				value.is_int, &word))
			return false;
		break;
	default:
		return false;
	}
	*ret_value = value.is_int ? (uint32_t)word : word;
	return true;
}

/*
 * What the line is about. Numbers of two pairs may be the same (a slot 3 and a socket 3): the pair tells them apart.
 * Return: false: nothing.
 */
ALWAYS_INLINE bool thing_of(const struct bind_action *action, const struct bound_call *call,
			    const void *frame, struct resource *ret_thing)
{
	uint64_t handle;
	if (!value_of(action->line->handle, call, frame, &handle) ||
	    (!handle && !action->line->handle.is_int))
		return false;
	*ret_thing = (struct resource){ .kind = (enum kind)action->kind, .handle = handle };
	if (action->kind == KIND_DESCRIPTOR)
		return handle > 2; /* the standard ones are nobody's to close */
	if (action->line->handle.is_int)
		ret_thing->sort = bind_pair_text(action->pair);
	return true;
}

/* Whether the call did what the line is about. */
static bool line_holds(const struct bound *bound, const struct pair_line *line, const struct bound_call *call,
		       uint64_t handle)
{
	if (LIKELY(!line->when.asks))
		return pair_holds(line->when, call->result);
	int (*asked)(uint64_t thing) = (int (*)(uint64_t))bind_sibling(bound->target, line->when.asks);
	return asked && handle && pair_holds(line->when, (uint64_t)asked(handle));
}

/* As the kernel reads them: whole words, and what it can't read is no set. */
static void meet_bits(const struct bound_call *call, unsigned number)
{
	uint64_t count = (uint64_t)MAX_OF((int)call->arguments[number - 1], 0);
	for (uint64_t at = 0; at < MIN_OF(count, (uint64_t)OPENED_NUMBERS); at += 64) {
		uint64_t bits = 0, word;
		for (unsigned set = 0; set < 3; set++)
			if (read_there(call->arguments[number + set] + at / 8, false, &word))
				bits |= word;
		opened_met(at, bits);
	}
}

/* A line about many at a time. Return: false: it is about one thing. */
static bool release_range(const struct bind_action *action, const struct bound_call *call)
{
	struct pair_value value = action->line->handle;
	int first = (int)call->arguments[value.number - 1];
	if (value.source == PAIR_BITS)
		meet_bits(call, value.number);
	else if (value.source == PAIR_FROM)
		descriptors_closed((uint32_t)MAX_OF(first, 0), UINT32_MAX);
	else if (value.source != PAIR_RANGE)
		return false;
	/* With flags they are closed by exec, or in a table of the thread's own. */
	else if ((int)call->arguments[value.number + 1] == 0)
		descriptors_closed((uint32_t)first, (uint32_t)call->arguments[value.number]);
	return true;
}

/* Of a release whose result tells: what it would release. 0: nothing. */
static void note(struct bound_call *call, unsigned number, const struct resource *thing)
{
	struct rec_hold open;
	bool is_open = resource_find(thing, &open);
	call->noted[number].handle = thing->handle;
	call->noted[number].identity = is_open ? resource_identity(&open) : 0;
	/* Wrong whatever it answers; and afterwards the process may be gone. */
	if (!is_open)
		release_unknown(thing);
}

void *bind_before(struct bound *bound, struct bound_call *call, const void *frame)
{
	const struct bind_function *function = bound->function;
	HOOK_HOT(hook, PAIR);
	call->noted[0].identity = call->noted[1].identity = 0;
	if (UNLIKELY(function->dlsym))
		return bind_dlsym(bound, call, frame);
	if (!hook.track)
		return bound->target;
	unsigned noted = 0;
	const struct bind_action *action;
	for (uint16_t at = function->first; (action = bind_action_at(at)); at = action->next) {
		struct resource thing;
		bool tells = action->line->when.test != PAIR_ALWAYS;
		if (!action->line->acquires && release_range(action, call))
			continue;
		if (action->line->acquires || noted == COUNT_OF(call->noted))
			continue;
		bool is_one = thing_of(action, call, frame, &thing);
		if (is_one && !tells && action->kind == KIND_DESCRIPTOR) {
			descriptor_closed((int)thing.handle);
			continue;
		}
		if (is_one) {
			thing.of_block = true;
			thing.frame = frame;
		}
		if (is_one && tells)
			note(call, noted, &thing);
		else if (is_one)
			release_begin(&thing);
		noted += tells;
	}
	return bound->target;
}

static void acquire(struct hook *hook, const struct bound *bound, const struct bind_action *action,
		    const struct bound_call *call, const void *frame)
{
	struct resource thing;
	struct rec_hold open;
	if (action->line->handle.source == PAIR_RIGHTS) {
		descriptors_came(hook,
				 (const struct msghdr *)call->arguments[action->line->handle.number - 1]);
		return;
	}
	if (!thing_of(action, call, frame, &thing) || (action->keeps && resource_find(&thing, &open)))
		return;
	if (action->line->when.asks && !line_holds(bound, action->line, call, thing.handle))
		return;
	if (action->kind == KIND_DESCRIPTOR) {
		descriptor_opened(hook, (int)thing.handle, action->line->handle.word > 0);
		return;
	}
	thing.stack = hook_stack(hook);
	thing.text = bind_pair_text(action->pair);
	thing.flags = action->line->handle.is_int ? HOLD_BY_NUMBER : resource_block_flags(thing.handle);
	if (!action->configured && action->kind == KIND_RESOURCE)
		thing.flags |= HOLD_BY_MEMORY;
	value_of(action->line->container, call, frame, &thing.container);
	resource_acquired(&thing);
}

/* Ends what was noted, if it is still there; by now the handle may be another thread's. */
static void release_noted(const struct bind_action *action, const struct bound_call *call, unsigned number,
			  const void *frame)
{
	struct resource thing = { .kind = (enum kind)action->kind,
				  .handle = call->noted[number].handle,
				  .of_block = true,
				  .frame = frame,
				  .only = call->noted[number].identity };
	if (!thing.only)
		return;
	if (action->kind == KIND_DESCRIPTOR) {
		descriptor_closed((int)thing.handle);
		return;
	}
	if (action->line->handle.is_int)
		thing.sort = bind_pair_text(action->pair);
	release_begin(&thing);
}

void bind_after(struct bound *bound, struct bound_call *call, const void *frame)
{
	const struct bind_function *function = bound->function;
	HOOK_HOT(hook, PAIR);
	if (!hook.track)
		return;
	int kept_errno = errno;
	hook.frame = frame;
	unsigned noted = 0;
	const struct bind_action *action;
	/* Releases first: what was released may have been acquired anew by the same call. */
	for (uint16_t at = function->releases_when ? function->first : 0;
	     (action = bind_action_at(at)) && noted < COUNT_OF(call->noted); at = action->next) {
		if (action->line->acquires || action->line->when.test == PAIR_ALWAYS)
			continue;
		if (line_holds(bound, action->line, call, call->noted[noted].handle))
			release_noted(action, call, noted, frame);
		noted++;
	}
	for (uint16_t at = function->first; (action = bind_action_at(at)); at = action->next)
		if (action->line->acquires &&
		    (action->line->when.asks || pair_holds(action->line->when, call->result)))
			acquire(&hook, bound, action, call, frame);
	errno = kept_errno;
}
