#include "reporter/cli/difference.h"

#include <errno.h>
#include <string.h>

#include "base/sort.h"
#include "base/units.h"
#include "reporter/write/json_out.h"

/* -- reading ------------------------------------------------------------------- */

static bool is_same(const struct tally *a, const struct tally *b)
{
	return strcmp(a->id, b->id) == 0 && strcmp(a->lines, b->lines) == 0;
}

/* `of_process`: of the same process alone. */
static struct tally *find(struct tally *list, const struct tally *what, bool of_process)
{
	for (; list; list = list->next)
		if (is_same(list, what) && (!of_process || list->pid == what->pid))
			return list;
	return NULL;
}

/* The newest report of a process says what is so in the end. */
static bool put(struct tally **list, struct arena *arena, const struct tally *what)
{
	struct tally *known = find(*list, what, true);
	struct tally *next = known ? known->next : *list;
	if (!known)
		known = arena_array(arena, 1, sizeof *known);
	if (!known)
		return false;
	if (next == *list)
		*list = known;
	double bytes = 0, count = 0;
	if (known->report == what->report) {
		bytes = known->bytes;
		count = known->count;
	}
	*known = *what;
	known->bytes += bytes;
	known->count += count;
	known->next = next;
	return true;
}

/* Bytes, counts and other numbers of things; what a report can't say is not one. Sums of these still are whole numbers. */
#define AMOUNT_MOST 1e15

static double amount_of(const struct json_value *object, const char *key)
{
	double amount = json_number_of(object, key, 0);
	return amount > 0 ? MIN_OF(amount, AMOUNT_MOST) : 0;
}

/* What tells two findings of one id apart. Return: "" where nothing is known of lines. */
static const char *lines_of(struct arena *arena, const struct json_value *finding)
{
	char buffer[2000];
	struct text lines = TEXT_OF(buffer);
	const struct json_value *stacks = json_member(finding, "stacks");
	const struct json_value *frames =
	    stacks && stacks->first ? json_member(stacks->first, "frames") : NULL;
	for (const struct json_value *frame = frames ? frames->first : NULL; frame; frame = frame->next) {
		const char *file = json_text_of(frame, "file", NULL);
		if (file)
			text_format(&lines, "%s:%u ", file,
				    (unsigned)MIN_OF(amount_of(frame, "line"), (double)UINT32_MAX));
	}
	return lines.used ? arena_copy(arena, lines.at, strlen(lines.at)) : "";
}

static bool read_finding(struct run_tally *run, struct arena *arena, const struct json_value *finding,
			 int64_t pid, unsigned number)
{
	struct tally tally = {
		.id = json_text_of(finding, "id", NULL),
		.lines = lines_of(arena, finding),
		.kind = json_text_of(finding, "kind", "?"),
		.severity = json_text_of(finding, "severity", "?"),
		.title = json_text_of(finding, "title", ""),
		.bytes = amount_of(finding, "bytes"),
		.count = amount_of(finding, "count"),
		.pid = pid,
		.report = number,
	};
	return tally.id && tally.lines && put(&run->findings, arena, &tally);
}

#define NAMED_FRAMES 6u /* of a place: enough to know it by */

static const char *place_name(struct arena *arena, const struct json_value *report, double stack)
{
	char buffer[500];
	struct text name = TEXT_OF(buffer);
	const struct json_value *stacks = json_member(report, "stacks");
	for (const struct json_value *at = stacks ? stacks->first : NULL; at; at = at->next) {
		const struct json_value *frames = json_member(at, "frames");
		if (json_number_of(at, "id", -1) != stack || !frames)
			continue;
		unsigned named = 0;
		for (const struct json_value *frame = frames->first; frame && named < NAMED_FRAMES;
		     frame = frame->next) {
			const char *function = json_text_of(frame, "function", NULL);
			if (function)
				text_format(&name, "%s%s", named++ ? " < " : "", function);
		}
		return named ? arena_copy(arena, name.at, strlen(name.at)) : NULL;
	}
	return NULL;
}

static bool read_place(struct run_tally *run, struct arena *arena, const struct json_value *report,
		       const struct json_value *site, int64_t pid, unsigned number)
{
	struct tally tally = {
		.id = place_name(arena, report, json_number_of(site, "stack", -1)),
		.lines = "",
		.bytes = amount_of(site, "live_bytes"),
		.count = amount_of(site, "live_blocks"),
		.pid = pid,
		.report = number,
	};
	return !tally.id || put(&run->places, arena, &tally);
}

int run_tally_read(struct run_tally *run, struct arena *arena, const char *text)
{
	/* Of a run in which nothing was found there may be none. */
	for (unsigned number = 1; *text; number++) {
		const struct json_value *report = json_read(arena, &text);
		if (!report || strncmp(json_text_of(report, "schema", ""), "whoholds/1", 10) != 0)
			return arena->failed ? -ENOMEM : -EINVAL;
		int64_t pid = (int64_t)amount_of(json_member(report, "process"), "pid");
		const struct json_value *findings = json_member(report, "findings");
		for (const struct json_value *at = findings ? findings->first : NULL; at; at = at->next)
			if (!read_finding(run, arena, at, pid, number))
				return arena->failed ? -ENOMEM : -EINVAL;
		const struct json_value *sites = json_member(report, "sites");
		for (const struct json_value *at = sites ? sites->first : NULL; at; at = at->next)
			if (!read_place(run, arena, report, at, pid, number))
				return -ENOMEM;
	}
	return 0;
}

/* -- comparing ----------------------------------------------------------------- */

/* One entry an id, with what all processes have. Return: false: no memory. */
static bool add_up(struct tally **list, struct arena *arena)
{
	struct tally *sums = NULL;
	for (const struct tally *at = *list; at; at = at->next) {
		struct tally *sum = find(sums, at, false);
		if (sum) {
			sum->bytes += at->bytes;
			sum->count += at->count;
			continue;
		}
		sum = arena_array(arena, 1, sizeof *sum);
		if (!sum)
			return false;
		*sum = *at;
		sum->next = sums;
		sums = sum;
	}
	*list = sums;
	return true;
}

static size_t length(const struct tally *list)
{
	size_t count = 0;
	for (; list; list = list->next)
		count++;
	return count;
}

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

/* The first that nothing is compared with yet; `exactly`: with the same lines. */
static struct tally *find_free(struct tally *list, const struct tally *what, bool exactly)
{
	for (; list; list = list->next)
		if (!list->match && (exactly ? is_same(list, what) : strcmp(list->id, what->id) == 0))
			return list;
	return NULL;
}

static void match(struct tally *old, struct tally *new, bool exactly)
{
	for (struct tally *at = new; at; at = at->next) {
		struct tally *before = at->match ? NULL : find_free(old, at, exactly);
		if (!before)
			continue;
		at->match = before;
		before->match = at;
	}
}

/* Return: the changes, `ret_count` of them; NULL: no memory. */
static struct changed *compare(struct arena *arena, struct tally *old, struct tally *new, bool by_change,
			       size_t *ret_count, size_t *ret_same)
{
	struct changed *changes = arena_array(arena, length(old) + length(new) + 1, sizeof *changes);
	size_t count = 0;
	if (!changes)
		return NULL;
	match(old, new, true);
	match(old, new, false);
	for (struct tally *at = new; at; at = at->next) {
		struct changed *change = &changes[count];
		*change = (struct changed){ .change = CHANGE_NEW, .old = at->match, .new = at, .any = at };
		if (!change->old || is_changed(change->old, at, &change->change))
			count++;
		else
			++*ret_same;
	}
	for (struct tally *at = old; at; at = at->next)
		if (!at->match)
			changes[count++] = (struct changed){ .change = CHANGE_GONE, .old = at, .any = at };
	sort_items(changes, count, sizeof *changes, worse_before, &by_change);
	*ret_count = count;
	return changes;
}

int difference_make(struct difference *difference, struct arena *arena)
{
	size_t same_places = 0;
	struct run_tally *old = &difference->old, *new = &difference->new;
	if (!add_up(&old->findings, arena) || !add_up(&new->findings, arena) ||
	    !add_up(&old->places, arena) || !add_up(&new->places, arena))
		return -ENOMEM;
	difference->findings =
	    compare(arena, old->findings, new->findings, true, &difference->finding_count, &difference->same);
	difference->places =
	    compare(arena, old->places, new->places, false, &difference->place_count, &same_places);
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
