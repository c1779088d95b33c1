#include "reporter/write/text_report.h"

/*
 * A site that grows, as a chart: a line a window of time, the oldest first, with what was live at the
 * least in it, as a bar too, and what was made in it and is still there.
 */

#define BAR_CHARACTERS 24u
#define LEAST_COLUMN 24u
#define BAR_COLUMN 34u
#define KEPT_COLUMN 60u

static const char *bar(uint64_t amount, uint64_t most)
{
	static const char full[] = "########################";
	_Static_assert(sizeof full == BAR_CHARACTERS + 1, "as long as it says");
	unsigned characters =
	    most ? (unsigned)((double)amount / (double)most * BAR_CHARACTERS + 0.5) : BAR_CHARACTERS;
	return full + BAR_CHARACTERS - MIN_OF(characters, BAR_CHARACTERS);
}

static void put_window(struct text_report *text, const struct account *account,
		       const struct finding_item *item, uint64_t most)
{
	struct names *names = &text->names;
	struct out *out = &text->out;
	nsec_t age = account->finding->at > item->since ? account->finding->at - item->since : 0;
	out_indent(out, TEXT_INDENT + 4);
	out_format(out, "%s ago", names_duration(names, age));
	out_pad(out, LEAST_COLUMN);
	out_put(out, names_size(names, item->least));
	out_pad(out, BAR_COLUMN);
	out_put(out, bar(item->least, most));
	out_pad(out, KEPT_COLUMN);
	out_format(out, "%s in %s", names_size(names, item->amount), names_count(names, item->count));
	out_newline(out);
}

void text_growth(struct text_report *text, const struct account *account)
{
	const struct finding *finding = account->finding;
	struct out *out = &text->out;
	uint64_t most = 0;
	for (uint32_t i = 0; i < finding_items(finding); i++)
		if (finding->items[i].role == ROLE_kept)
			most = MAX_OF(most, finding->items[i].least);
	if (!most)
		return;
	out_indent(out, TEXT_INDENT);
	out_put(out, "from");
	out_pad(out, LEAST_COLUMN);
	out_put(out, "live then, at the least");
	out_pad(out, KEPT_COLUMN);
	out_put(out, "made then, live now");
	out_newline(out);
	for (uint32_t i = 0; i < finding_items(finding); i++)
		if (finding->items[i].role == ROLE_kept)
			put_window(text, account, &finding->items[i], most);
}
