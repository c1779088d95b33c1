#include "reporter/suppress.h"

#include <errno.h>
#include <string.h>

#include "reporter/write/names.h"

#define KIND_BIT(kind) (UINT64_C(1) << FINDING_##kind)
_Static_assert(FINDING_COUNT <= 64, "a bit a kind");

void suppress_init(struct suppressions *suppressions, struct arena *arena)
{
	*suppressions = (struct suppressions){ .arena = arena };
	suppressions->last = &suppressions->first;
}

/* -- patterns --------------------------------------------------------------- */

bool suppress_pattern_matches(const char *pattern, const char *text)
{
	const char *end = pattern + strlen(pattern);
	bool from_start = *pattern == '^';
	pattern += from_start;
	bool to_end = end > pattern && end[-1] == '$';
	end -= to_end;
	/*
	 * One place to come back to is enough: what the latest '*' swallowed never has to be given back
	 * for an earlier one. A pattern not tied to the start is one with a '*' before it.
	 */
	const char *star = from_start ? NULL : pattern, *star_text = text;
	for (;;) {
		if (pattern == end && (!to_end || !*text))
			return true;
		if (pattern < end && *pattern == '*') {
			star = ++pattern;
			star_text = text;
		} else if (pattern < end && *text && (*pattern == '?' || *pattern == *text)) {
			pattern++;
			text++;
		} else if (star && *star_text) {
			pattern = star;
			text = ++star_text;
		} else {
			return false;
		}
	}
}

/* -- reading ---------------------------------------------------------------- */

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\r';
}

/* The kinds that a name speaks of; false: no such name. */
static bool kinds_named(const char *name, size_t length, uint64_t *ret_kinds)
{
	static const struct {
		const char *name;
		uint64_t kinds;
	} foreign[] = {
#define FOREIGN(name_, kinds_) { name_, kinds_ },
#include "reporter/suppress_names.def"
	};
	bool known = false;
	*ret_kinds = 0;
	for (size_t i = 0; i < COUNT_OF(foreign); i++)
		if (strlen(foreign[i].name) == length && memcmp(foreign[i].name, name, length) == 0) {
			*ret_kinds |= foreign[i].kinds;
			known = true;
		}
	for (unsigned kind = 0; kind < FINDING_COUNT; kind++) {
		const char *ours = finding_kind_name(kind);
		if (strlen(ours) == length && memcmp(ours, name, length) == 0) {
			*ret_kinds |= UINT64_C(1) << kind;
			known = true;
		}
	}
	return known;
}

static int complain(struct text *ret_error, const char *file, unsigned line, const char *text, size_t length,
		    const char *what)
{
	text_format(ret_error, "%s:%u: '%.*s' %s", file, line, (int)MIN_OF(length, 60), text, what);
	return -EINVAL;
}

/* One line, without blanks around it and not empty. */
static int add_line(struct suppressions *suppressions, const char *text, size_t length, const char *file,
		    unsigned line, struct text *ret_error)
{
	const char *colon = memchr(text, ':', length);
	if (memchr(text, '\0', length))
		return complain(ret_error, file, line, text, strnlen(text, length),
				"is followed by a zero byte, expected text");
	if (!colon)
		return complain(ret_error, file, line, text, length,
				"is no suppression, expected kind:pattern, as in leak:load_row");
	uint64_t kinds;
	if (!kinds_named(text, (size_t)(colon - text), &kinds))
		return complain(
		    ret_error, file, line, text, (size_t)(colon - text),
		    "is no kind of finding, expected one of 'whoholds help kinds', as in leak:load_row");
	const char *pattern = colon + 1, *end = text + length;
	while (pattern < end && is_blank(*pattern))
		pattern++;
	if (pattern == end || (end - pattern == 1 && (*pattern == '^' || *pattern == '$')))
		return complain(
		    ret_error, file, line, text, length,
		    "has no pattern, expected kind:pattern (kind:* for every finding of the kind)");
	struct suppression *fresh = arena_alloc(suppressions->arena, sizeof(*fresh));
	char *written = arena_copy(suppressions->arena, text, length);
	if (!fresh || !written)
		return -ENOMEM;
	*fresh = (struct suppression){
		.kinds = kinds,
		.pattern = written + (pattern - text),
		.written = written,
		.file = file,
		.line = line,
	};
	*suppressions->last = fresh;
	suppressions->last = &fresh->next;
	suppressions->count++;
	return 0;
}

int suppress_load(struct suppressions *suppressions, const char *text, size_t bytes, const char *file,
		  struct text *ret_error)
{
	const char *name = arena_copy(suppressions->arena, file, strlen(file));
	const char *end = text + bytes;
	int error = name ? 0 : -ENOMEM;
	if (bytes >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		text += 3; /* editors put it there, unseen */
	for (unsigned line = 1; !error && text < end; line++) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		const char *from = text, *to = newline ? newline : end;
		text = newline ? newline + 1 : end;
		while (from < to && is_blank(*from))
			from++;
		while (to > from && is_blank(to[-1]))
			to--;
		if (from < to && *from != '#')
			error = add_line(suppressions, from, (size_t)(to - from), name, line, ret_error);
	}
	return error;
}

/* -- matching --------------------------------------------------------------- */

static bool matches_frame(const char *pattern, const struct frame *frame)
{
	const char *const texts[] = { frame->function, frame->linkage, frame->file, frame->module };
	for (size_t i = 0; i < COUNT_OF(texts); i++)
		if (texts[i] && texts[i][0] && suppress_pattern_matches(pattern, texts[i]))
			return true;
	return false;
}

static bool speaks_of(const struct suppression *suppression, const struct finding *finding)
{
	return finding->kind < FINDING_COUNT && suppression->kinds >> finding->kind & 1;
}

const struct suppression *suppress_match(struct suppressions *suppressions, const struct finding *finding,
					 const struct view *view, struct symbolizer *symbolizer,
					 struct arena *scratch)
{
	struct stack_frames {
		const struct frame *frames;
		size_t count;
	} *stacks = NULL;
	uint32_t items = finding_items(finding);
	for (struct suppression *at = suppressions->first; at; at = at->next) {
		if (!speaks_of(at, finding))
			continue;
		bool matches = strcmp(at->pattern, "*") == 0;
		if (!matches && !stacks) {
			/* Frames cost a look-up in debug information: only now, and once. */
			stacks = arena_array(scratch, items + (size_t)1, sizeof(*stacks));
			if (!stacks)
				return NULL;
			for (uint32_t i = 0; i < items; i++) {
				struct frame *frames = NULL;
				stack_id stack = finding->items[i].stack;
				if (stack)
					stacks[i].count =
					    symbolizer->frames(symbolizer, view, stack, scratch, &frames);
				stacks[i].frames = frames;
			}
		}
		for (uint32_t i = 0; i < items && !matches; i++)
			for (size_t f = 0; stacks[i].frames && f < stacks[i].count && !matches; f++)
				matches = matches_frame(at->pattern, &stacks[i].frames[f]);
		if (!matches)
			continue;
		at->matches++;
		return at;
	}
	return NULL;
}

const struct suppression *suppress_unused(const struct suppressions *suppressions,
					  const struct suppression *previous)
{
	const struct suppression *at = previous ? previous->next : suppressions->first;
	while (at && at->matches)
		at = at->next;
	return at;
}
