#include "reporter/cli/tally.h"

#include <errno.h>
#include <string.h>

#include "base/hash.h"
#include "base/text.h"
#include "reporter/cli/json_in.h"

/* -- the table ----------------------------------------------------------------- */

#define BUCKETS 16384u

static bool is_same(const struct tally *a, const struct tally *b)
{
	return strcmp(a->id, b->id) == 0 && strcmp(a->lines, b->lines) == 0;
}

/* Those of several processes lie far apart: a big run has one finding a thousand times. */
static size_t bucket(const char *id, int64_t pid)
{
	return hash_add(hash_text(id), (uint64_t)pid) % BUCKETS;
}

static struct tally *chain(const struct tallies *tallies, const char *id, int64_t pid)
{
	return tallies->hashed ? tallies->hashed[bucket(id, pid)] : NULL;
}

/* Of the same process. */
static struct tally *find(const struct tallies *tallies, const struct tally *what)
{
	struct tally *at = chain(tallies, what->id, what->pid);
	while (at && !(is_same(at, what) && at->pid == what->pid))
		at = at->next_hashed;
	return at;
}

/* Return: a new one like `what`; NULL: no memory. */
static struct tally *add(struct tallies *tallies, struct arena *arena, const struct tally *what)
{
	struct tally *added = arena_array(arena, 1, sizeof *added);
	if (!tallies->hashed)
		tallies->hashed = arena_array(arena, BUCKETS, sizeof(struct tally *));
	if (!added || !tallies->hashed)
		return NULL;
	struct tally **head = &tallies->hashed[bucket(what->id, what->pid)];
	*added = *what;
	added->next = tallies->first;
	added->next_hashed = *head;
	tallies->first = *head = added;
	tallies->count++;
	return added;
}

struct tally *tallies_unmatched(const struct tallies *tallies, const struct tally *what, bool exactly)
{
	struct tally *at = chain(tallies, what->id, what->pid);
	while (at && (at->match || !(exactly ? is_same(at, what) : strcmp(at->id, what->id) == 0)))
		at = at->next_hashed;
	return at;
}

/* The newest report of a process says what is so in the end. */
static bool put(struct tallies *tallies, struct arena *arena, const struct tally *what)
{
	struct tally *known = find(tallies, what);
	if (!known)
		return add(tallies, arena, what);
	if (known->report == what->report) {
		known->bytes += what->bytes;
		known->count += what->count;
	} else {
		known->report = what->report;
		known->kind = what->kind;
		known->severity = what->severity;
		known->title = what->title;
		known->bytes = what->bytes;
		known->count = what->count;
	}
	return true;
}

/* One entry an id, of no process, with what all of them have. Return: false: no memory. */
static bool add_up(struct tallies *tallies, struct arena *arena)
{
	struct tallies sums = { 0 };
	for (const struct tally *at = tallies->first; at; at = at->next) {
		struct tally of_all = *at;
		of_all.pid = 0;
		struct tally *sum = find(&sums, &of_all);
		if (sum) {
			sum->bytes += at->bytes;
			sum->count += at->count;
		} else if (!add(&sums, arena, &of_all)) {
			return false;
		}
	}
	*tallies = sums;
	return true;
}

/* -- reading ------------------------------------------------------------------- */

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

static bool is_report(const struct json_value *report)
{
	const struct json_value *findings = json_member(report, "findings");
	return strcmp(json_text_of(report, "schema", ""), "whoholds/1") == 0 && findings &&
	       findings->type == JSON_ARRAY;
}

static int read_report(struct run_tally *run, struct arena *arena, const struct json_value *report,
		       unsigned number)
{
	int64_t pid = (int64_t)amount_of(json_member(report, "process"), "pid");
	const struct json_value *sites = json_member(report, "sites");
	for (const struct json_value *at = json_member(report, "findings")->first; at; at = at->next)
		if (!read_finding(run, arena, at, pid, number))
			return arena->failed ? -ENOMEM : -EINVAL;
	for (const struct json_value *at = sites ? sites->first : NULL; at; at = at->next)
		if (!read_place(run, arena, report, at, pid, number))
			return -ENOMEM;
	return 0;
}

int run_tally_read(struct run_tally *run, struct arena *arena, const char *text)
{
	if (!text[strspn(text, " \t\r\n")])
		return -ENODATA;
	for (unsigned number = 1; *text; number++) {
		const struct json_value *report = json_read(arena, &text);
		if (!report || !is_report(report))
			return arena->failed ? -ENOMEM : -EINVAL;
		int error = read_report(run, arena, report, number);
		if (error)
			return error;
	}
	return add_up(&run->findings, arena) && add_up(&run->places, arena) ? 0 : -ENOMEM;
}
