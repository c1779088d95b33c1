#include "reporter/write/text_report.h"

/* A lock order thread by thread: what it took first, and what it took with that still held. */

static const char *taken(struct text_report *text, const struct finding_item *item)
{
	return text_hold_label(text, "takes", object_of_item(&text->names, item), item->mode, 1);
}

void text_order(struct text_report *text, const struct account *account)
{
	struct names *names = &text->names;
	const struct finding *finding = account->finding;
	for (uint32_t i = 0; i + 1 < finding_items(finding); i += 2) {
		const struct finding_item *held = &finding->items[i], *acquired = &finding->items[i + 1];
		text_line(text, TEXT_INDENT,
			  names_format(names, "%s %s in", names_item_thread(names, held), taken(text, held)),
			  0);
		text_stack(text, held->stack, TEXT_INDENT + 4);
		text_line(text, TEXT_INDENT,
			  names_format(names, "and, still holding it, %s in", taken(text, acquired)), 0);
		text_stack(text, acquired->stack, TEXT_INDENT + 4);
	}
}
