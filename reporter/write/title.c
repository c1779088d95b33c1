#include "reporter/write/title.h"

#include "registry/misuse.h"
#include "reporter/write/identity.h"

/*
 * Titles: one sentence that says what is wrong, with names and numbers. A kind
 * without a sentence of its own here gets its general one (findings.def) and the
 * place.
 */

static const char *plural(uint64_t count)
{
	return count == 1 ? "" : "s";
}

/* `has` while it lasts, `had` once it is over. */
static const char *has(const struct account *account)
{
	return account->over ? "had" : "has";
}

/* `4 threads wait`, `1 thread waits`, `4 threads waited`. */
static const char *wait_verb(const struct account *account, uint64_t count)
{
	return account->over ? "waited" : count == 1 ? "waits" : "wait";
}

/* " for 7.3 s", or nothing where it is not known. */
static const char *lasting(struct names *names, nsec_t age)
{
	return age ? names_format(names, " for %s", names_duration(names, age)) : "";
}

/* How many threads other than the subject wait, folded ones included. */
static uint64_t waiter_count(const struct finding *finding)
{
	uint64_t count = 0;
	for (uint32_t i = 0; i < finding_items(finding); i++) {
		const struct finding_item *item = &finding->items[i];
		if (item->role == ROLE_waits && item->thread != finding->thread)
			count += item->count > 1 ? item->count : 1;
	}
	return MAX_OF(count, finding->count);
}

/* Those among them that wait for the thread itself, to join it: it does not hold what they want. */
static uint64_t joiner_count(const struct finding *finding)
{
	uint64_t count = 0;
	for (uint32_t i = 0; i < finding_items(finding); i++) {
		const struct finding_item *item = &finding->items[i];
		if (item->role == ROLE_waits && item->thread != finding->thread &&
		    item->object_kind == KIND_THREAD)
			count += item->count > 1 ? item->count : 1;
	}
	return count;
}

/* `64 KiB in 1,024 blocks`, or mappings. */
static const char *bytes_in_blocks(struct names *names, const struct finding *finding)
{
	const struct finding_item *item = finding_main_item(finding);
	bool mapped = item && item->object_kind == KIND_MAPPING;
	return names_format(
	    names, "%s in %s", names_size(names, finding->amount),
	    kind_many(names, mapped ? KIND_MAPPING : KIND_MEMORY, MAX_OF(finding->count, 1), 0));
}

/* -- memory ----------------------------------------------------------------- */

static const char *title_leak(struct names *names, const struct account *account)
{
	const struct finding *finding = account->finding;
	const struct finding_item *item = finding_main_item(finding);
	return names_format(names, "%s lost%s%s", bytes_in_blocks(names, finding),
			    finding->flags & FOUND_CYCLE ? " in rings" : "", place(names, ", from", item));
}

static const char *title_possible_leak(struct names *names, const struct account *account)
{
	if (account->finding->flags & FOUND_INTERIOR)
		return names_format(names, "%s that only pointers into the middle lead to%s",
				    bytes_in_blocks(names, account->finding),
				    place(names, ", from", finding_main_item(account->finding)));
	return names_format(names, "%s perhaps lost%s", bytes_in_blocks(names, account->finding),
			    place(names, ", from", finding_main_item(account->finding)));
}

static const char *title_ghost(struct names *names, const struct account *account)
{
	bool by_handlers = account->finding->sort == KEPT_BY_HANDLERS;
	return names_format(names, "%s kept alive by %s alone%s", bytes_in_blocks(names, account->finding),
			    by_handlers ? "at-exit handlers" : "thread-specific values, of a key each,",
			    place(names, ", from", finding_main_item(account->finding)));
}

static const char *title_growth(struct names *names, const struct account *account)
{
	const struct finding *finding = account->finding;
	const char *rate =
	    finding->rate ? names_format(names, ", %s/s more of them", names_size(names, finding->rate)) : "";
	return names_format(names, "%s kept%s%s%s", bytes_in_blocks(names, finding),
			    place(names, ", from", finding_main_item(finding)),
			    *rate ? rate : ", and ever more of them", lasting(names, account_age(account)));
}

static const char *title_heap_growth(struct names *names, const struct account *account)
{
	const struct finding *finding = account->finding;
	const char *rate =
	    finding->rate ? names_format(names, " by %s/s", names_size(names, finding->rate)) : "";
	const char *size =
	    finding->amount ? names_format(names, ", to %s", names_size(names, finding->amount)) : "";
	return names_format(names, "the heap %s grown%s%s%s%s", has(account), rate,
			    lasting(names, account_age(account)), size,
			    place(names, ", most of it from", item_with(finding, ROLE_site, 0)));
}

static const char *title_thread_growth(struct names *names, const struct account *account)
{
	return names_format(
	    names, "the number of threads %s grown to %s%s", has(account),
	    names_count(names, account->finding->count),
	    place(names, ", most of them from", item_with(account->finding, ROLE_created, 0)));
}

static const char *title_rss_growth(struct names *names, const struct account *account)
{
	const struct finding *finding = account->finding;
	return names_format(names, "the memory in use %s grown by %s/s%s, to %s, and not for the heap%s",
			    has(account), names_size(names, finding->rate),
			    lasting(names, account_age(account)), names_size(names, finding->amount),
			    place(names, ", but mapped in", item_with(finding, ROLE_allocated, 0)));
}

static const char *title_fragmentation(struct names *names, const struct account *account)
{
	const struct finding *finding = account->finding;
	return names_format(names, "the heap %s %s of the machine's memory%s for %s of live blocks",
			    account->over ? "kept" : "keeps", names_size(names, finding->amount),
			    lasting(names, account_age(account)), names_size(names, finding->indirect));
}

/* What an allocation is made with, and given back with, by enum allocation_kind. */
static const char *made_with(unsigned kind)
{
	static const char *const words[] = { "malloc", "aligned_alloc", "new",          "new[]", NULL,
					     NULL,     "aligned new",   "aligned new[]" };
	return kind < COUNT_OF(words) && words[kind] ? words[kind] : "another allocator";
}

static const char *given_back_with(unsigned kind, const struct finding_item *freed)
{
	static const char *const words[] = { "free", "free", "delete",         "delete[]",
					     NULL,   NULL,   "aligned delete", "aligned delete[]" };
	if (kind <= 1 && freed && freed->op)
		return op_name(freed->op);
	return kind < COUNT_OF(words) && words[kind] ? words[kind] : "another allocator";
}

/* To the byte, where that is what matters: "1 KiB deleted as 1,016 bytes" says less than 1,112 does. */
static const char *exact_size(struct names *names, uint64_t bytes)
{
	if (bytes >= UINT64_C(1) << 20)
		return names_size(names, bytes);
	return names_format(names, "%s byte%s", names_count(names, bytes), bytes == 1 ? "" : "s");
}

/* "a block of 48 bytes", ", from make_node": `finding` is about the block that was allocated so. */
static const char *block_from(struct names *names, const struct finding *finding)
{
	return names_format(names, "a block of %s%s", exact_size(names, finding->amount),
			    place(names, " from", item_with(finding, ROLE_allocated, 0)));
}

static const char *title_double_free(struct names *names, const struct account *account)
{
	const struct finding *finding = account->finding;
	const struct finding_item *allocated = item_with(finding, ROLE_allocated, 0);
	return names_format(names, "memory%s was freed twice%s", place(names, " from", allocated),
			    place(names, ", the second time in", item_with(finding, ROLE_freed_again, 0)));
}

static const char *title_invalid_free(struct names *names, const struct account *account)
{
	const struct finding *finding = account->finding;
	const struct finding_item *freed = item_with(finding, ROLE_freed, 0);
	const char *in = place(names, " in", freed);
	const char *what = "an address that no allocation can have";
	int64_t away = finding->offset;
	switch (finding->sort) {
	case MISUSE_INSIDE:
		what = names_format(names, "an address %s bytes behind the start of %s",
				    names_count(names, (uint64_t)away), block_from(names, finding));
		break;
	case MISUSE_BEFORE:
		what = names_format(names, "an address %s bytes before %s",
				    names_count(names, (uint64_t)-away), block_from(names, finding));
		break;
	case MISUSE_ON_STACK:
		what = "a variable on the stack";
		break;
	case MISUSE_IN_MODULE:
		what = "data of the program or of a library, which was never allocated,";
		break;
	default:
		break;
	}
	return names_format(names, "%s was freed%s", what, in);
}

static const char *title_heap_overflow(struct names *names, const struct account *account)
{
	const struct finding *finding = account->finding;
	int64_t behind = finding->offset - (int64_t)finding->amount;
	uint64_t away = (uint64_t)(finding->offset < 0 ? -finding->offset : behind + 1);
	return names_format(names, "%s was overrun: something wrote %s byte%s %s", block_from(names, finding),
			    names_count(names, away), plural(away),
			    finding->offset < 0 ? "before its start" : "past its end");
}

static const char *title_use_after_free(struct names *names, const struct account *account)
{
	const struct finding *finding = account->finding;
	return names_format(names, "%s was written to after it had been freed%s, at byte %s",
			    block_from(names, finding),
			    place(names, " in", item_with(finding, ROLE_freed, 0)),
			    names_count(names, (uint64_t)finding->offset));
}

/* As it was meant, by who got a size that is a negative number. */
static const char *size_asked(struct names *names, uint64_t size)
{
	if (size > INT64_MAX)
		return names_format(names, "-%s bytes", names_count(names, -size));
	return names_size(names, size);
}

static const char *title_bad_size(struct names *names, const struct account *account)
{
	const struct finding *finding = account->finding;
	const struct finding_item *called = item_with(finding, ROLE_called, 0);
	if (!called)
		return finding_kind_words(finding->kind);
	const char *what = size_asked(names, finding->amount);
	switch (finding->sort) {
	case MISUSE_PRODUCT:
		what = names_format(names, "%s times %s, more than a size can say",
				    names_count(names, finding->amount), size_asked(names, called->handle));
		break;
	case MISUSE_ALIGNMENT:
	case MISUSE_ROUNDED:
		what = names_format(names, "an alignment of %s, which is none",
				    names_count(names, finding->amount));
		break;
	default:
		break;
	}
	return names_format(names, "%s was asked for %s%s%s", op_name(called->op), what,
			    place(names, ", in", called), times(names, finding));
}

static const char *title_mismatched_free(struct names *names, const struct account *account)
{
	const struct finding *finding = account->finding;
	unsigned made = finding->sort & 15, given_back = finding->sort >> 4;
	const struct finding_item *freed = item_with(finding, ROLE_freed, 0);
	const char *in = place(names, ", in", freed);
	if (made == given_back)
		return names_format(names, "%s was deleted as one of %s%s", block_from(names, finding),
				    exact_size(names, (uint64_t)finding->offset), in);
	return names_format(names, "%s was made with %s and given back with %s%s", block_from(names, finding),
			    made_with(made), given_back_with(given_back, freed), in);
}

/* -- threads and locks ------------------------------------------------------ */

/* No ring: the whole process waits. */
static const char *title_asleep(struct names *names, const struct finding *finding,
				const struct finding_item *first, const char *age)
{
	if (finding->count > 1)
		return names_format(names, "all %s threads have waited%s and none is left to wake another",
				    names_count(names, finding->count), age);
	return names_format(
	    names, "%s has waited for %s%s and no other thread is left to wake it", subject(names, finding),
	    first ? object_text(names, object_of_item(names, first), OBJECT_BRIEF) : "something", age);
}

static const char *title_deadlock(struct names *names, const struct account *account)
{
	const struct finding *finding = account->finding;
	const struct finding_item *waits[6] = { NULL };
	uint32_t count = 0;
	for (uint32_t i = 0; i < finding_items(finding); i++) {
		const struct finding_item *item = &finding->items[i];
		if (!finding_is_ring_wait(finding, item))
			continue;
		if (count < COUNT_OF(waits))
			waits[count] = item;
		count++;
	}
	const char *age = lasting(names, account_age(account));
	const char *have = count == 1 ? "has waited" : "have waited";
	if (finding->flags & FOUND_ASLEEP)
		return title_asleep(names, finding, waits[0], age);
	if (!count)
		return "threads wait for one another and none can go on";
	if (count == 1) {
		const char *what = object_text(names, object_of_item(names, waits[0]), OBJECT_BRIEF);
		if (waits[0]->object_kind == KIND_THREAD)
			what = "its own end";
		else
			what = names_format(names, "%s, which it holds itself,", what);
		return names_format(names, "%s %s for %s%s and can never go on",
				    names_item_thread(names, waits[0]), have, what, age);
	}
	if (count == 2)
		return names_format(names, "%s and %s %s for each other%s and can never go on",
				    names_item_thread(names, waits[0]), names_item_thread(names, waits[1]),
				    have, age);
	const char *list = names_item_thread(names, waits[0]);
	for (uint32_t i = 1; i < MIN_OF(count, COUNT_OF(waits)); i++)
		list = names_format(names, "%s%s %s", list, i + 1 == count ? " and" : ",",
				    names_item_thread(names, waits[i]));
	if (count > COUNT_OF(waits))
		list = names_format(names, "%s and %u more", list, count - (unsigned)COUNT_OF(waits));
	return names_format(names, "%u threads %s for one another%s and can never go on: %s", count, have,
			    age, list);
}

static const char *title_lock_order(struct names *names, const struct account *account)
{
	struct object *objects[2] = { NULL, NULL };
	const char *ring = NULL;
	/* An item that is held and one that is acquired for each of them. */
	uint32_t count = finding_items(account->finding) / 2;
	for (uint32_t i = 0; i < count && count > 2; i++) {
		const char *name =
		    object_text(names, object_of_item(names, &account->finding->items[2 * i]), OBJECT_BRIEF);
		ring =
		    ring ? names_format(names, "%s%s%s", ring, i + 1 == count ? " and " : ", ", name) : name;
	}
	if (ring)
		return names_format(names,
				    "%s are taken in orders that make a ring: threads that do so at "
				    "once will wait for ever",
				    ring);
	for (uint32_t i = 0; i < finding_items(account->finding) && !objects[1]; i++) {
		struct object *object = object_of_item(names, &account->finding->items[i]);
		if (object && object != objects[0])
			objects[objects[0] != NULL] = object;
	}
	if (!objects[1])
		return finding_kind_words(account->finding->kind);
	return names_format(
	    names, "%s and %s are taken in both orders: threads that do so at once will wait for ever",
	    object_text(names, objects[0], OBJECT_BRIEF), object_text(names, objects[1], OBJECT_BRIEF));
}

/* What the subject of a stuck-holder holds: an object, or how many. */
static const char *holdings(struct names *names, const struct finding *finding)
{
	const struct finding_item *one = NULL;
	bool one_kind = true, one_name = true;
	uint32_t count = 0;
	for (uint32_t i = 0; i < finding_items(finding); i++) {
		const struct finding_item *item = &finding->items[i];
		if ((item->role != ROLE_acquired && item->role != ROLE_opened) ||
		    item->thread != finding->thread)
			continue;
		one_kind &= !one || one->object_kind == item->object_kind;
		one_name &= !one || one->name == item->name;
		one = item;
		count++;
	}
	if (count == 1)
		return object_text(names, object_of_item(names, one), OBJECT_BRIEF);
	if (count && one_kind)
		return kind_many(names, one->object_kind, count, one_name ? one->name : 0);
	return count ? names_format(names, "%u things", count) : "what others need";
}

static const char *title_stuck_holder(struct names *names, const struct account *account)
{
	const struct finding *finding = account->finding;
	const char *place_text = place(names, " in", item_with(finding, ROLE_blocked, 0));
	uint64_t waiters = waiter_count(finding), joiners = joiner_count(finding);
	const char *held = holdings(names, finding);
	waiters -= MIN_OF(waiters, joiners);
	if (waiters)
		held = names_format(names, "what %s thread%s %s for", names_count(names, waiters),
				    plural(waiters), wait_verb(account, waiters));
	return names_format(names, "%s %s%s%s and %s %s", subject(names, finding),
			    account->over ? "was blocked" : "has been blocked",
			    lasting(names, account_age(account)), place_text,
			    account->over ? "held" : "holds", held);
}

static const char *title_long_hold(struct names *names, const struct account *account)
{
	const struct finding *finding = account->finding;
	uint64_t waiters = waiter_count(finding);
	const char *who = names_format(names, "others %s", wait_verb(account, 2));
	if (waiters)
		who = names_format(names, "%s thread%s %s", names_count(names, waiters), plural(waiters),
				   wait_verb(account, waiters));
	const struct finding_item *hold = item_with(finding, ROLE_acquired, 0);
	return names_format(names, "%s %s held %s%s while %s for it", subject(names, finding), has(account),
			    hold ? object_text(names, object_of_item(names, hold), OBJECT_BRIEF) : "a lock",
			    lasting(names, account_age(account)), who);
}

static const char *title_blocked(struct names *names, const struct account *account)
{
	const struct finding *finding = account->finding;
	const char *age = lasting(names, account_age(account));
	const char *in = place(names, " in", finding_main_item(finding));
	if (finding->count > 1)
		return names_format(names, "%s threads %s blocked%s%s", names_count(names, finding->count),
				    account->over ? "were" : "have been", age, in);
	return names_format(names, "%s %s blocked%s%s", subject(names, finding),
			    account->over ? "was" : "has been", age, in);
}

static const char *title_orphan_thread(struct names *names, const struct account *account)
{
	const struct finding *finding = account->finding;
	const char *in = place(names, " in", item_with(finding, ROLE_blocked, 0));
	const char *since = lasting(names, account_age(account));
	if (finding->count > 1)
		return names_format(names,
				    "%s threads have been blocked%s%s, and nothing alive can ever wake them",
				    names_count(names, finding->count), since, in);
	return names_format(names, "%s has been blocked%s%s, and nothing alive can ever wake it",
			    subject(names, finding), since, in);
}

static const char *title_held_at_exit(struct names *names, const struct account *account)
{
	const struct finding *finding = account->finding;
	const struct finding_item *item = item_with(finding, ROLE_acquired, 0);
	const char *what = item ? object_text(names, object_of_item(names, item), OBJECT_BRIEF) : "a lock";
	const char *who = subject(names, finding);
	if (finding->flags & FOUND_FOR_LIFE)
		return names_format(names,
				    "%s held %s until the process ended, and nobody else ever wanted it%s",
				    who, what, place(names, ", taken in", item));
	if ((finding->flags & FOUND_AT_EXIT) && !(item && (item->flags & ITEM_ENDED)))
		return names_format(names, "the process ended while %s held %s%s", who, what,
				    place(names, ", taken in", item));
	return names_format(names, "%s ended and left %s locked for ever%s", who, what,
			    place(names, ", taken in", item));
}

/* -- things that are opened ------------------------------------------------- */

/* What nobody does any more with those that are lost, and with what of theirs. */
static const char *kind_known(unsigned kind)
{
	return kind == KIND_DESCRIPTOR ? "has" : "points to";
}

static const char *kind_it(unsigned kind, uint64_t count)
{
	if (kind == KIND_DESCRIPTOR)
		return count == 1 ? "its number" : "their numbers";
	return count == 1 ? "it" : "them";
}

/* How many of them its place has open, where that is more. */
static const char *of_open(struct names *names, const struct finding_item *item, uint64_t count)
{
	if (!item || item->count <= count)
		return "";
	return names_format(names, ", of %s open ones,", names_count(names, item->count));
}

static const char *title_iterator_leak(struct names *names, const struct account *account)
{
	const struct finding *finding = account->finding;
	const struct finding_item *item = finding_main_item(finding);
	unsigned kind = item ? item->object_kind : KIND_NONE;
	uint64_t count = MAX_OF(finding->count, 1);
	const char *from = place(names, ", opened in", item);
	struct object *object = item ? object_of_item(names, item) : NULL;
	/* The address of something that has no name says nothing by now. */
	bool named = count == 1 && object && object_name(names, object);
	const char *much = named        ? object_text(names, object, OBJECT_BRIEF)
			   : count == 1 ? names_format(names, "one %s", kind_noun(kind, 1))
			   : item       ? item_many(names, item, count)
					: kind_many(names, kind, count, 0);
	if (!(finding->flags & FOUND_AT_EXIT))
		return names_format(names, "%s%s %s lost%s: nothing %s %s any more", much,
				    of_open(names, item, count), count == 1 ? "is" : "are", from,
				    kind_known(kind), kind_it(kind, count));
	return names_format(names, "%s %s never %s%s", much, count == 1 ? "was" : "were",
			    kind_given_back(kind), from);
}

static const char *title_iterator_open(struct names *names, const struct account *account)
{
	const struct finding *finding = account->finding;
	const struct finding_item *item = item_with(finding, ROLE_opened, 0);
	const char *age = lasting(names, account_age(account));
	const char *from = place(names, ", opened in", item);
	uint64_t waiters = 0;
	for (uint32_t i = 0; i < finding_items(finding); i++)
		waiters += finding->items[i].role == ROLE_waits;
	const char *wanted = "";
	if (waiters)
		wanted = names_format(names, "; %s thread%s %s for %s", names_count(names, waiters),
				      plural(waiters), wait_verb(account, waiters),
				      finding->count > 1 ? "one of them" : "it");
	if (finding->count > 1 && item)
		return names_format(names, "%s %s open, the oldest%s%s%s",
				    item_many(names, item, finding->count), account->over ? "were" : "are",
				    age, from, wanted);
	return names_format(names, "%s %s had %s open%s%s%s", subject(names, finding), has(account),
			    item ? object_text(names, object_of_item(names, item), OBJECT_BRIEF)
				 : "an iterator",
			    age, from, wanted);
}

static const char *title_iteration_slow(struct names *names, const struct account *account)
{
	const struct finding *finding = account->finding;
	return names_format(
	    names, "one iteration in a hundred%s took longer than %s: P50 %s, P99 %s, longest %s of %s",
	    place(names, " opened in", item_with(finding, ROLE_site, 0)),
	    names_duration(names, finding->limit), names_duration(names, finding->p50),
	    names_duration(names, finding->p99), names_duration(names, finding->longest),
	    names_count(names, finding->count));
}

static const char *title_iterator_mutation(struct names *names, const struct account *account)
{
	const struct finding *finding = account->finding;
	const struct finding_item *changed = item_with(finding, ROLE_changed, 0);
	const struct finding_item *opened = item_with(finding, ROLE_opened, 0);
	if (!changed || !opened)
		return finding_kind_words(finding->kind);
	const char *who = changed->thread == opened->thread ? "it was iterating over itself"
							    : names_format(names, "%s was iterating over",
									   names_item_thread(names, opened));
	return names_format(names, "%s changed what %s, with %s%s", names_item_thread(names, changed), who,
			    object_text(names, object_of_item(names, opened), OBJECT_BRIEF),
			    place(names, " opened in", opened));
}

static const char *title_released_twice(struct names *names, const struct account *account)
{
	const struct finding *finding = account->finding;
	const struct finding_item *again = item_with(finding, ROLE_released_again, 0);
	const struct finding_item *first = item_with(finding, ROLE_released, 0);
	if (!again)
		return finding_kind_words(finding->kind);
	if (again->object_kind == KIND_THREAD)
		return title_thread_twice(names, finding, again, first);
	struct object *object = object_of_item(names, again);
	const char *what = object_text(names, object, OBJECT_BRIEF);
	/* The address of what has no name tells nobody anything: it is not there any more. */
	if (object && !object_name(names, object))
		what = names_format(names, "a %s", kind_noun(object->kind, 1));
	const char *given_back = finding_given_back(again);
	if (!first)
		return names_format(names, "%s %s %s, which was not open%s", names_item_thread(names, again),
				    given_back, what, place(names, ", in", again));
	const char *who = first->thread == again->thread ? "it" : names_item_thread(names, first);
	return names_format(names, "%s %s %s, which %s had %s already%s", names_item_thread(names, again),
			    given_back, what, who, given_back, place(names, " in", first));
}

/* -- the table -------------------------------------------------------------- */

const char *account_title(struct names *names, const struct account *account)
{
	static const char *(*const titles[FINDING_COUNT])(struct names *, const struct account *) = {
#define TITLE(kind) [FINDING_##kind] = title_##kind
		TITLE(leak),
		TITLE(possible_leak),
		TITLE(ghost),
		TITLE(growth),
		TITLE(heap_growth),
		TITLE(thread_growth),
		TITLE(deadlock),
		TITLE(lock_order),
		TITLE(stuck_holder),
		TITLE(long_hold),
		TITLE(blocked),
		TITLE(orphan_thread),
		TITLE(held_at_exit),
		TITLE(thread_leak),
		TITLE(not_owner_unlock),
		TITLE(iterator_leak),
		TITLE(iterator_open),
		TITLE(rss_growth),
		TITLE(fragmentation),
		TITLE(iterator_mutation),
		TITLE(released_twice),
		TITLE(destroyed_in_use),
		TITLE(fork_held),
		TITLE(reinit_in_use),
		TITLE(cond_misuse),
		TITLE(double_free),
		TITLE(invalid_free),
		TITLE(mismatched_free),
		TITLE(heap_overflow),
		TITLE(use_after_free),
		TITLE(iteration_slow),
		TITLE(stack_depth),
		TITLE(bad_size),
#undef TITLE
	};
	unsigned kind = account->finding->kind;
	if (kind < FINDING_COUNT && titles[kind])
		return titles[kind](names, account);
	return names_format(names, "%s%s", finding_kind_words(kind),
			    place(names, ", in", finding_main_item(account->finding)));
}
