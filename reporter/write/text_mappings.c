#include "reporter/mapped.h"
#include "reporter/write/text_report.h"

#define PLACES_MOST 20u /* as of what is open */

void text_mappings(struct text_report *text)
{
	struct names *names = &text->names;
	const struct snapshot *snapshot = text->report->snapshot;
	struct mapped_list list = mapped_by_place(snapshot, 0, names->arena);
	if (!list.count)
		return;
	text_line(text, 0,
		  names_format(
		      names, "memory that the program has mapped itself, %s in %s, by the place that did it",
		      names_size(names, list.bytes), kind_many(names, KIND_MAPPING, list.mappings, 0)),
		  0);
	for (uint32_t i = 0; i < MIN_OF(list.count, PLACES_MOST); i++) {
		const struct mapped *place = &list.at[i];
		text_line(text, TEXT_INDENT,
			  names_format(names, "%s in %s%s", names_size(names, place->bytes),
				       kind_many(names, KIND_MAPPING, place->count, 0),
				       place->count > 1 ? ", the oldest" : ""),
			  place->since && snapshot->now > place->since ? snapshot->now - place->since : 0);
		text_stack(text, place->stack, TEXT_INDENT + 4);
	}
	if (list.count > PLACES_MOST)
		text_line(text, TEXT_INDENT,
			  names_format(names, "and %u more places", list.count - PLACES_MOST), 0);
	out_newline(&text->out);
}
