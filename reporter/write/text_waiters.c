#include "reporter/write/text_report.h"

/*
 * Who waits for what a finding is about: threads that wait in the same place together, with a line
 * each as far as that is worth reading, the others by name.
 */

#define WAITERS_ALIKE 8u /* threads that wait in the same place and have a line each */
#define WAITERS_MAX 12u  /* places shown */
#define CALL_COLUMN (TEXT_INDENT + 30u)
#define AGE_COLUMN (TEXT_INDENT + 56u)
#define PLACE_COLUMN (TEXT_INDENT + 68u)

static bool waits_alike(const struct finding_item *a, const struct finding_item *b)
{
	return a->stack == b->stack && a->op == b->op && a->handle == b->handle &&
	       a->object_kind == b->object_kind;
}

bool text_is_waiter(const struct finding *finding, const struct finding_item *item)
{
	if (finding->kind == FINDING_deadlock)
		return item->role == ROLE_waits && !finding_is_ring_wait(finding, item);
	return item->role == ROLE_waits && item->thread != finding->thread;
}

/* Whether the waiters want more than one thing, so that each has to be told apart. */
static bool different_objects(const struct finding *finding)
{
	const struct finding_item *first = NULL;
	for (uint32_t i = 0; i < finding_items(finding); i++) {
		const struct finding_item *item = &finding->items[i];
		if (!text_is_waiter(finding, item) || item->object_kind == KIND_THREAD)
			continue;
		if (first && (first->handle != item->handle || first->object_kind != item->object_kind))
			return true;
		first = item;
	}
	return false;
}

static void waiter_line(struct text_report *text, const struct account *account,
			const struct finding_item *item, bool names_object)
{
	struct names *names = &text->names;
	struct out *out = &text->out;
	out_indent(out, TEXT_INDENT + 4);
	out_put(out, names_item_thread(names, item));
	out_pad(out, CALL_COLUMN);
	out_put(out, item->op ? op_name(item->op) : "waits");
	nsec_t age = account_item_age(account, item);
	if (age) {
		out_pad(out, AGE_COLUMN);
		out_format(out, "for %s", names_duration(names, age));
	}
	const char *place = text->verbose ? "" : text_place(text, item->stack);
	if (*place) {
		out_pad(out, PLACE_COLUMN);
		out_put(out, place);
	}
	if (names_object && item->object_kind != KIND_THREAD)
		out_format(out, ", for %s", object_text(names, object_of_item(names, item), OBJECT_BRIEF));
	if (item->count > 1)
		out_format(out, ", and %u more", item->count - 1);
	/* Who waits for a waiter waits for the subject all the same. */
	if (item->other &&
	    (item->other != account->finding->thread || account->finding->kind == FINDING_deadlock))
		out_format(out, ", behind %s", names_thread(names, item->other, NULL));
	out_newline(out);
}

/* Those of one place, from the first of them on: some with a line each, the rest by name. Return: how many. */
static uint32_t put_place(struct text_report *text, const struct account *account, uint32_t first, bool shown)
{
	const struct finding *finding = account->finding;
	const struct finding_item *item = &finding->items[first];
	uint32_t items = finding_items(finding), alike = 0, at = 0;
	bool names_object = different_objects(finding);
	const char *list = NULL;
	for (uint32_t i = first; i < items; i++)
		alike += text_is_waiter(finding, &finding->items[i]) && waits_alike(item, &finding->items[i]);
	/* One name behind many lines would take a line as well. */
	uint32_t lines = text->verbose || alike <= WAITERS_ALIKE + 1 ? alike : WAITERS_ALIKE;
	for (uint32_t i = first; i < items && shown && at < alike; i++) {
		const struct finding_item *other = &finding->items[i];
		if (!text_is_waiter(finding, other) || !waits_alike(item, other))
			continue;
		if (at < lines)
			waiter_line(text, account, other, names_object);
		else
			list = text_list_add(text, list, names_item_thread(&text->names, other), at - lines,
					     alike - lines);
		at++;
	}
	if (list)
		text_line(text, TEXT_INDENT + 4, names_format(&text->names, "and in the same place %s", list),
			  0);
	if (shown && text->verbose)
		text_stack(text, item->stack, TEXT_INDENT + 8);
	return alike;
}

void text_waiters(struct text_report *text, const struct account *account)
{
	const struct finding *finding = account->finding;
	uint32_t places = 0, unshown = 0;
	for (uint32_t i = 0; i < finding_items(finding); i++) {
		const struct finding_item *item = &finding->items[i];
		bool told = !text_is_waiter(finding, item);
		for (uint32_t j = 0; j < i && !told; j++)
			told = text_is_waiter(finding, &finding->items[j]) &&
			       waits_alike(item, &finding->items[j]);
		if (told)
			continue;
		if (!places)
			text_line(text, TEXT_INDENT,
				  finding->kind != FINDING_deadlock ? "waited for by"
				  : finding->flags & FOUND_ASLEEP   ? "and likewise"
								    : "also stuck behind them",
				  0);
		bool shown = places++ < WAITERS_MAX || text->verbose;
		uint32_t count = put_place(text, account, i, shown);
		unshown += shown ? 0 : count;
	}
	if (unshown)
		text_line(text, TEXT_INDENT + 4, names_format(&text->names, "and %u more elsewhere", unshown),
			  0);
}
