#include "reporter/write/text_report.h"

#include <string.h>

#include "reporter/write/locks.h"

/*
 * The table of locks that threads waited for:
 *
 *        taken    waited     in all   longest       held   longest  made others wait
 *       52,113     1,204      3.2 s     41 ms      8.1 s     50 ms      3.1 s  mutex cache_lock
 *       40,000     1,000      3.0 s     41 ms      8.0 s     50 ms      3.0 s    put cache.c:31
 *       12,113       204     200 ms      3 ms     100 ms     12 ms     100 ms    get cache.c:12
 */

#define ROWS_MAX 10u    /* locks, without -v */
#define PLACES_MAX 5u   /* of each, without -v */
#define PLACES_FULL 10u /* with -v, and with their stacks */
#define COLUMN 11u
#define STACK_INDENT 16u

static void put_cell(struct text_report *text, const char *value)
{
	size_t width = utf8_width(value);
	out_indent(&text->out, width < COLUMN ? COLUMN - width : 1);
	out_put(&text->out, value);
}

static void put_times(struct text_report *text, nsec_t all, nsec_t longest)
{
	put_cell(text, all ? names_duration(&text->names, all) : "-");
	put_cell(text, longest ? names_duration(&text->names, longest) : "-");
}

static void put_counts(struct text_report *text, const struct lock_counts *counts)
{
	struct names *names = &text->names;
	put_cell(text, names_count(names, counts->taken));
	put_cell(text, counts->waits ? names_count(names, counts->waits) : "-");
	put_times(text, counts->waited, counts->waited_most);
	put_times(text, counts->held, counts->held_most);
	put_cell(text, counts->made_wait ? names_duration(names, counts->made_wait) : "-");
	out_put(&text->out, "  ");
}

static const char *place_text(struct text_report *text, const struct lock_place *place)
{
	const char *where = text_place(text, place->stack);
	where = *where ? where : "(no stack was recorded)";
	return place->mode == MODE_SHARED ? names_format(&text->names, "%s (shared)", where) : where;
}

/* Those of the places behind `first` that a reader can't tell from it: called from elsewhere, further out. */
static struct lock_counts fold_places(struct text_report *text, const struct lock_row *row, uint32_t first,
				      const char *where, bool *told)
{
	struct lock_counts sum = row->places[first]->counts;
	for (uint32_t i = first + 1; i < row->place_count && !text->verbose; i++) {
		if (told[i] || strcmp(where, place_text(text, row->places[i])) != 0)
			continue;
		told[i] = true;
		lock_counts_add(&sum, &row->places[i]->counts);
	}
	return sum;
}

static void put_places(struct text_report *text, const struct lock_row *row)
{
	/* Of thousands of stacks those that matter come first, and the others can't change much. */
	struct lock_row part = *row;
	part.place_count = MIN_OF(row->place_count, 64U);
	bool *told = arena_array(text->names.arena, part.place_count, sizeof(*told));
	uint32_t lines = 0;
	for (uint32_t i = 0; told && i < part.place_count; i++) {
		if (told[i])
			continue;
		if (lines++ == (text->verbose ? PLACES_FULL : PLACES_MAX))
			break;
		const char *where = place_text(text, part.places[i]);
		struct lock_counts counts = fold_places(text, &part, i, where, told);
		put_counts(text, &counts);
		out_format(&text->out, "  %s", where);
		out_newline(&text->out);
		if (text->verbose)
			text_stack(text, part.places[i]->stack, STACK_INDENT);
	}
}

void text_locks(struct text_report *text)
{
	struct names *names = &text->names;
	struct lock_table table;
	if (locks_collect(names, &table) != 0)
		return;
	if (!table.waited_for) {
		if (text->verbose && table.count)
			text_line(text, 0,
				  names_format(names, "locks: %s, taken %s times, none waited for",
					       names_count(names, table.count),
					       names_count(names, table.total.taken)),
				  0);
		return;
	}
	out_format(&text->out,
		   "locks that threads waited for (%s of %s):", names_count(names, table.waited_for),
		   names_count(names, table.count));
	out_newline(&text->out);
	static const char *const heads[] = { "taken", "waited for", "in all",   "longest",
					     "held",  "longest",    "made wait" };
	out_color(&text->out, COLOR_FAINT);
	for (size_t i = 0; i < COUNT_OF(heads); i++)
		put_cell(text, heads[i]);
	out_color(&text->out, COLOR_PLAIN);
	out_newline(&text->out);
	uint32_t most = text->verbose ? table.count : MIN_OF(table.count, ROWS_MAX);
	for (uint32_t i = 0; i < most && table.rows[i]->counts.waits; i++) {
		put_counts(text, &table.rows[i]->counts);
		out_color(&text->out, COLOR_STRONG);
		out_put(&text->out, lock_row_text(names, table.rows[i]));
		out_color(&text->out, COLOR_PLAIN);
		out_newline(&text->out);
		put_places(text, table.rows[i]);
	}
	if (most < table.waited_for)
		text_line(text, COLUMN,
			  names_format(names, "... %u more, shown with -v", table.waited_for - most), 0);
	out_newline(&text->out);
}
