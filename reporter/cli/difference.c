#include "reporter/cli/difference.h"

#include <errno.h>
#include <string.h>

#include "base/sort.h"
#include "base/units.h"
#include "reporter/write/json_out.h"

/* -- comparing ----------------------------------------------------------------- */

static bool is_changed(const struct tally *old, const struct tally *new, enum change *ret_change)
{
	if (old->bytes == new->bytes && old->count == new->count)
		return false;
	bool grown = old->bytes != new->bytes ? new->bytes > old->bytes : new->count > old->count;
	*ret_change = grown ? CHANGE_GROWN : CHANGE_SHRUNK;
	return true;
}

static double bytes_changed(const struct changed *changed)
{
	double by = (changed->new ? changed->new->bytes : 0) - (changed->old ? changed->old->bytes : 0);
	return by < 0 ? -by : by;
}

static bool worse_before(const void *a, const void *b, void *data)
{
	const struct changed *left = a, *right = b;
	const bool *by_change = data;
	if (*by_change && left->change != right->change)
		return left->change < right->change;
	if (bytes_changed(left) != bytes_changed(right))
		return bytes_changed(left) > bytes_changed(right);
	return strcmp(left->any->id, right->any->id) < 0;
}

static void match(const struct tallies *old, struct tally *new, bool exactly)
{
	for (struct tally *at = new; at; at = at->next) {
		struct tally *before = at->match ? NULL : tallies_unmatched(old, at, exactly);
		if (!before)
			continue;
		at->match = before;
		before->match = at;
	}
}

/* Return: the changes, `ret_count` of them; NULL: no memory. */
static struct changed *compare(struct arena *arena, const struct tallies *old, const struct tallies *new,
			       bool by_change, size_t *ret_count, size_t *ret_same)
{
	struct changed *changes = arena_array(arena, old->count + new->count + 1, sizeof *changes);
	size_t count = 0;
	if (!changes)
		return NULL;
	match(old, new->first, true);
	match(old, new->first, false);
	for (struct tally *at = new->first; at; at = at->next) {
		struct changed *change = &changes[count];
		*change = (struct changed){ .change = CHANGE_NEW, .old = at->match, .new = at, .any = at };
		if (!change->old || is_changed(change->old, at, &change->change))
			count++;
		else
			++*ret_same;
	}
	for (struct tally *at = old->first; at; at = at->next)
		if (!at->match)
			changes[count++] = (struct changed){ .change = CHANGE_GONE, .old = at, .any = at };
	sort_items(changes, count, sizeof *changes, worse_before, &by_change);
	*ret_count = count;
	return changes;
}

int difference_make(struct difference *difference, struct arena *arena)
{
	size_t same_places = 0;
	const struct run_tally *old = &difference->old, *new = &difference->new;
	difference->findings = compare(arena, &old->findings, &new->findings, true,
				       &difference->finding_count, &difference->same);
	difference->places =
	    compare(arena, &old->places, &new->places, false, &difference->place_count, &same_places);
	return difference->findings && difference->places ? 0 : -ENOMEM;
}

/* -- telling ------------------------------------------------------------------- */

static const char *const change_names[CHANGE_COUNT] = { "new", "gone", "grown", "shrunk" };

static void put_amount(struct text *text, const struct tally *tally, bool with_bytes)
{
	if (with_bytes) {
		units_put_size(text, (uint64_t)tally->bytes);
		text_put(text, " in ");
	}
	units_put_count(text, (uint64_t)tally->count);
}

static void put_amounts(struct out *out, const struct tally *old, const struct tally *new)
{
	char buffer[200];
	struct text text = TEXT_OF(buffer);
	bool with_bytes = old->bytes > 0 || new->bytes > 0;
	put_amount(&text, old, with_bytes);
	text_put(&text, " -> ");
	put_amount(&text, new, with_bytes);
	out_put(out, text.at);
}

static void put_finding(struct out *out, const struct changed *changed)
{
	const struct tally *shown = changed->any;
	out_indent(out, 4);
	out_format(out, "%s %s: ", shown->severity, shown->kind);
	out_put(out, shown->title);
	if (changed->old && changed->new) {
		out_put(out, ": ");
		put_amounts(out, changed->old, changed->new);
	}
	out_newline(out);
}

#define PLACES_SHOWN 20u /* unless all are asked for */

static void put_places(const struct difference *difference, struct out *out, bool verbose)
{
	size_t shown = verbose ? difference->place_count : MIN_OF(difference->place_count, PLACES_SHOWN);
	for (size_t i = 0; i < shown; i++) {
		const struct changed *changed = &difference->places[i];
		char buffer[100];
		struct text text = TEXT_OF(buffer);
		double old = changed->old ? changed->old->bytes : 0,
		       new = changed->new ? changed->new->bytes : 0;
		text_put(&text, new < old ? "-" : "+");
		units_put_size(&text, (uint64_t)bytes_changed(changed));
		out_indent(out, 4);
		out_put(out, text.at);
		out_pad(out, 16);
		out_put(out, change_names[changed->change]);
		out_pad(out, 24);
		out_put(out, changed->any->id);
		out_newline(out);
	}
	if (shown < difference->place_count) {
		out_format(out, "    and %zu more places (-v shows them all)",
			   difference->place_count - shown);
		out_newline(out);
	}
}

void difference_text(const struct difference *difference, struct out *out, bool verbose)
{
	for (unsigned change = 0, at = 0; change < CHANGE_COUNT; change++) {
		unsigned end = at;
		while (end < difference->finding_count && difference->findings[end].change == change)
			end++;
		if (end > at) {
			out_format(out, "%s: %u finding%s", change_names[change], end - at,
				   end - at == 1 ? "" : "s");
			out_newline(out);
		}
		for (; at < end; at++)
			put_finding(out, &difference->findings[at]);
	}
	if (difference->place_count) {
		out_put(out, "live memory, by place:");
		out_newline(out);
		put_places(difference, out, verbose);
	}
	size_t counts[CHANGE_COUNT] = { 0 };
	for (size_t i = 0; i < difference->finding_count; i++)
		counts[difference->findings[i].change]++;
	out_format(out, "whoholds: findings: %zu new, %zu gone, %zu grown, %zu shrunk, %zu the same",
		   counts[CHANGE_NEW], counts[CHANGE_GONE], counts[CHANGE_GROWN], counts[CHANGE_SHRUNK],
		   difference->same);
	out_newline(out);
}

static void put_tally(struct json *json, const char *key, const struct tally *tally)
{
	if (!tally) {
		json_null(json, key);
		return;
	}
	json_begin(json, key, '{');
	json_number(json, "bytes", (uint64_t)tally->bytes);
	json_number(json, "count", (uint64_t)tally->count);
	json_end(json, '}');
}

static void put_changes(struct json *json, const char *key, const struct changed *changes, size_t count)
{
	json_begin(json, key, '[');
	for (size_t i = 0; i < count; i++) {
		const struct tally *shown = changes[i].any;
		json_begin(json, NULL, '{');
		json_string(json, "change", change_names[changes[i].change]);
		json_string(json, shown->kind ? "id" : "place", shown->id);
		if (shown->kind) {
			json_string(json, "kind", shown->kind);
			json_string(json, "severity", shown->severity);
			json_string(json, "title", shown->title);
		}
		put_tally(json, "old", changes[i].old);
		put_tally(json, "new", changes[i].new);
		json_end(json, '}');
	}
	json_end(json, ']');
}

void difference_json(const struct difference *difference, struct out *out)
{
	struct json json = { .out = out };
	json_begin(&json, NULL, '{');
	json_string(&json, "schema", "whoholds-diff/1");
	json_string(&json, "old", difference->old.name);
	json_string(&json, "new", difference->new.name);
	json_number(&json, "same", difference->same);
	put_changes(&json, "findings", difference->findings, difference->finding_count);
	put_changes(&json, "sites", difference->places, difference->place_count);
	json_end(&json, '}');
	out_raw(out, "\n", 1);
}
