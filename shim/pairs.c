#include "pairs.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"

/* -- refusals ---------------------------------------------------------------- */

static const struct {
	const char *function, *why;
} refused[] = {
#define REFUSED(function, why) { #function, why },
#include "pairs_refused.def"
};

const char *pair_refused(const char *function)
{
	for (size_t i = 0; i < COUNT_OF(refused); i++)
		if (strcmp(refused[i].function, function) == 0)
			return refused[i].why;
	return NULL;
}

/* -- words of a line --------------------------------------------------------- */

#define WORD_BYTES 256u
#define SHOWN_BYTES 60

struct parser {
	struct pairs *pairs;
	struct arena *arena;
	pairs_complain *complain;
	void *data;
	uint32_t line;         /* being read, from 1 */
	uint32_t section_line; /* where the open section began; 0: none is open */
	uint32_t first_line;   /* of pairs->lines that belong to it */
	struct pair pair;
	bool section_bad, has_kind;
	int mistakes;
};

static void complain(struct parser *parser, uint32_t line, const char *format, ...) PRINTF(3, 4);

static void complain(struct parser *parser, uint32_t line, const char *format, ...)
{
	char buffer[400];
	struct text text = TEXT_OF(buffer);
	va_list list;
	va_start(list, format);
	text_vformat(&text, format, list);
	va_end(list);
	parser->complain(line, buffer, parser->data);
	parser->mistakes++;
	parser->section_bad = true;
}

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\r';
}

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

static bool is_name(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || is_digit(byte) ||
	       byte == '_' || byte == '$' || byte == '.' || byte == '@';
}

static const char *skip_blanks(const char *at)
{
	while (is_blank(*at))
		at++;
	return at;
}

/* A run of name characters into `ret_word`. Return: behind it; NULL: there is none, or it is too long. */
static const char *take_name(const char *at, char ret_word[WORD_BYTES])
{
	size_t bytes = 0;
	at = skip_blanks(at);
	while (is_name(at[bytes]))
		bytes++;
	if (!bytes || bytes >= WORD_BYTES)
		return NULL;
	memcpy(ret_word, at, bytes);
	ret_word[bytes] = '\0';
	return at + bytes;
}

/* Return: behind `word` where the text begins with it as a whole word, else NULL. */
static const char *take_word(const char *at, const char *word)
{
	size_t bytes = strlen(word);
	at = skip_blanks(at);
	return strncmp(at, word, bytes) == 0 && !(is_name(word[bytes - 1]) && is_name(at[bytes])) ? at + bytes
												  : NULL;
}

static const char *take_integer(const char *at, int32_t *ret_value)
{
	bool negative = *(at = skip_blanks(at)) == '-';
	int64_t value = 0;
	at += negative;
	if (!is_digit(*at))
		return NULL;
	for (; is_digit(*at) && value <= INT32_MAX; at++)
		value = value * 10 + (*at - '0');
	value = negative ? -value : value;
	if (value > INT32_MAX || value < INT32_MIN || is_name(*at))
		return NULL;
	*ret_value = (int32_t)value;
	return at;
}

/* -- values ------------------------------------------------------------------ */

#define VALUE_WANTED "ret, arg1 to arg6, or *arg1 to *arg6, with (int) before it for an int"

static const char *take_value(const char *at, struct pair_value *ret_value)
{
	struct pair_value value = { .source = PAIR_ARG };
	const char *behind = take_word(at, "(int)");
	if (behind) {
		value.is_int = true;
		at = behind;
	}
	at = skip_blanks(at);
	behind = take_word(at, "ret");
	if (behind) {
		value.source = PAIR_RET;
		*ret_value = value;
		return behind;
	}
	if (*at == '*') {
		value.source = PAIR_AT_ARG;
		at++;
	}
	if (strncmp(at, "arg", 3) != 0 || at[3] < '1' || at[3] > '0' + (char)PAIR_ARGUMENTS || is_name(at[4]))
		return NULL;
	value.number = (uint8_t)(at[3] - '0');
	*ret_value = value;
	return at + 4;
}

#define WHEN_WANTED "a condition such as ret == 0, ret != 0, ret >= 0 or ret != NULL"

static const char *take_when(const char *at, struct pair_when *ret_when)
{
	static const struct {
		const char *word;
		enum pair_test test;
	} tests[] = { { "==", PAIR_EQ }, { "!=", PAIR_NE }, { ">=", PAIR_GE },
		      { "<=", PAIR_LE }, { ">", PAIR_GT },  { "<", PAIR_LT } };
	struct pair_when when = { .test = PAIR_ALWAYS };
	at = take_word(at, "ret");
	at = at ? skip_blanks(at) : NULL;
	for (size_t i = 0; at && i < COUNT_OF(tests); i++) {
		size_t bytes = strlen(tests[i].word);
		if (strncmp(at, tests[i].word, bytes) != 0)
			continue;
		when.test = (uint8_t)tests[i].test;
		at += bytes;
		break;
	}
	if (!at || when.test == PAIR_ALWAYS)
		return NULL;
	const char *behind = take_word(at, "NULL");
	if (behind) {
		if (when.test != PAIR_EQ && when.test != PAIR_NE)
			return NULL;
		when.is_pointer = true;
		*ret_when = when;
		return behind;
	}
	behind = take_integer(at, &when.value);
	if (behind)
		*ret_when = when;
	return behind;
}

/* -- lines ------------------------------------------------------------------- */

static bool at_end(const char *at)
{
	at = skip_blanks(at);
	return !*at || *at == '#';
}

/* handle = ..., container = ..., when = ..., in any order, once each. Return: whether they are good. */
static bool take_attributes(struct parser *parser, const char *at, struct pair_line *line)
{
	char key[WORD_BYTES];
	while (!at_end(at)) {
		const char *behind = take_name(at, key);
		const char *value = behind ? take_word(behind, "=") : NULL;
		const char *wanted = NULL;
		bool twice = false;
		if (!value) {
			complain(parser, parser->line,
				 "handle = ..., container = ... or when = ... is expected, not '%.*s'",
				 SHOWN_BYTES, skip_blanks(at));
			return false;
		}
		if (strcmp(key, "handle") == 0) {
			twice = line->handle.source != PAIR_NOTHING;
			behind = take_value(value, &line->handle);
			wanted = VALUE_WANTED;
		} else if (strcmp(key, "container") == 0) {
			twice = line->container.source != PAIR_NOTHING;
			behind = take_value(value, &line->container);
			wanted = VALUE_WANTED;
		} else if (strcmp(key, "when") == 0) {
			twice = line->when.test != PAIR_ALWAYS;
			behind = take_when(value, &line->when);
			wanted = WHEN_WANTED;
		} else {
			complain(parser, parser->line, "handle, container or when is expected, not '%.*s'",
				 SHOWN_BYTES, key);
			return false;
		}
		if (twice) {
			complain(parser, parser->line, "%s is there twice", key);
			return false;
		}
		/* What stands right behind it ("arg1x", "ret == 0x") belongs to it. */
		if (!behind || (*behind && !is_blank(*behind) && *behind != '#')) {
			complain(parser, parser->line, "%s is expected for %s, not '%.*s'", wanted, key,
				 SHOWN_BYTES, skip_blanks(value));
			return false;
		}
		at = behind;
	}
	return true;
}

static void take_function(struct parser *parser, const char *at, bool acquires)
{
	char name[WORD_BYTES];
	struct pair_line line = { .acquires = acquires };
	const char *word = acquires ? "acquire" : "release", *why;
	const char *behind = take_name(at, name);
	if (!behind || is_digit(name[0])) {
		complain(parser, parser->line, "%s = FUNCTION is expected, not '%.*s'", word, SHOWN_BYTES,
			 skip_blanks(at));
		return;
	}
	if (!take_attributes(parser, behind, &line))
		return;
	if (line.handle.source == PAIR_NOTHING) {
		complain(parser, parser->line, "%s = %.*s lacks a handle; expected is handle = " VALUE_WANTED,
			 word, SHOWN_BYTES, name);
		return;
	}
	if (!acquires && line.handle.source == PAIR_RET) {
		complain(parser, parser->line,
			 "a release is known by an argument; expected is handle = arg1 to arg6, or *arg1 to "
			 "*arg6");
		return;
	}
	why = pair_refused(name);
	if (why) {
		complain(parser, parser->line, "%s can't be in a pair: %s", name, why);
		return;
	}
	if (parser->pairs->line_count == PAIR_LINES_MOST) {
		complain(parser, parser->line, "at most %u lines with a function are expected",
			 PAIR_LINES_MOST);
		return;
	}
	/* What else would say that it failed? */
	if (acquires && line.handle.source == PAIR_RET && line.when.test == PAIR_ALWAYS) {
		line.when.test = line.handle.is_int ? PAIR_GE : PAIR_NE;
		line.when.is_pointer = !line.handle.is_int;
	}
	/* `ret != 0` of what is a pointer. */
	if (line.handle.source == PAIR_RET && !line.handle.is_int && line.when.value == 0 &&
	    (line.when.test == PAIR_NE || line.when.test == PAIR_EQ))
		line.when.is_pointer = true;
	line.pair = (uint16_t)parser->pairs->pair_count;
	line.function = arena_copy(parser->arena, name, strlen(name));
	parser->pairs->lines[parser->pairs->line_count++] = line;
}

static bool kind_may_be_given(unsigned kind)
{
	return kind_has(kind, KIND_IS_RESOURCE) && !kind_has(kind, KIND_IS_MEMORY);
}

static void take_kind(struct parser *parser, const char *at)
{
	char word[WORD_BYTES], list[200];
	const char *behind = take_name(at, word);
	struct text kinds = TEXT_OF(list);
	if (parser->has_kind) {
		complain(parser, parser->line, "kind is there twice");
		return;
	}
	parser->has_kind = true;
	for (unsigned kind = 0; kind < KIND_COUNT; kind++) {
		if (!kind_may_be_given(kind))
			continue;
		if (behind && at_end(behind) && strcmp(word, kind_name(kind)) == 0) {
			parser->pair.kind = (enum kind)kind;
			return;
		}
		text_format(&kinds, "%s%s", kinds.used ? ", " : "", kind_name(kind));
	}
	complain(parser, parser->line, "kind is expected to be one of %s, not '%.*s'", list, SHOWN_BYTES,
		 skip_blanks(at));
}

/* -- sections ---------------------------------------------------------------- */

static void section_close(struct parser *parser)
{
	struct pairs *pairs = parser->pairs;
	unsigned acquires = 0, releases = 0;
	if (!parser->section_line)
		return;
	for (uint32_t i = parser->first_line; i < pairs->line_count; i++) {
		acquires += pairs->lines[i].acquires;
		releases += !pairs->lines[i].acquires;
	}
	if (!parser->section_bad && (!acquires || !releases))
		complain(parser, parser->section_line,
			 "[pair \"%s\"] has no line %s; at least one acquire = ... and one release = ... are "
			 "expected",
			 parser->pair.name, acquires ? "release = ..." : "acquire = ...");
	if (parser->section_bad)
		pairs->line_count = parser->first_line;
	else
		pairs->pairs[pairs->pair_count++] = parser->pair;
	parser->section_line = 0;
}

static void section_open(struct parser *parser, const char *at)
{
	section_close(parser);
	parser->section_line = parser->line;
	parser->first_line = parser->pairs->line_count;
	parser->section_bad = parser->has_kind = false;
	parser->pair = (struct pair){ .name = "?", .kind = KIND_RESOURCE };
	const char *name = take_word(at, "[");
	name = name ? take_word(name, "pair") : NULL;
	name = name ? take_word(name, "\"") : NULL;
	const char *end = name ? strchr(name, '"') : NULL;
	const char *behind = end ? take_word(end + 1, "]") : NULL;
	if (!behind || !at_end(behind) || end == name || end - name >= (ptrdiff_t)WORD_BYTES) {
		complain(parser, parser->line, "[pair \"NAME\"] is expected, not '%.*s'", SHOWN_BYTES, at);
		return;
	}
	if (parser->pairs->pair_count == PAIRS_MOST) {
		complain(parser, parser->line, "at most %u pairs are expected", PAIRS_MOST);
		return;
	}
	parser->pair.name = arena_copy(parser->arena, name, (size_t)(end - name));
}

static void take_line(struct parser *parser, const char *text)
{
	static const struct {
		const char *word;
	} words[] = { { "acquire" }, { "release" }, { "kind" } };
	char key[WORD_BYTES];
	const char *at = skip_blanks(text);
	if (at_end(at))
		return;
	if (pairs_is_section(at)) {
		section_open(parser, at);
		return;
	}
	if (!parser->section_line)
		return;
	const char *behind = take_name(at, key);
	const char *value = behind ? take_word(behind, "=") : NULL;
	size_t which = 0;
	while (value && which < COUNT_OF(words) && strcmp(words[which].word, key) != 0)
		which++;
	if (!value || which == COUNT_OF(words))
		complain(parser, parser->line,
			 "acquire = ..., release = ... or kind = ... is expected in a [pair], not '%.*s'",
			 SHOWN_BYTES, at);
	else if (which == 2)
		take_kind(parser, value);
	else
		take_function(parser, value, which == 0);
}

#define LINE_BYTES 1024u

int pairs_parse(struct pairs *into, struct arena *arena, const char *text, size_t bytes,
		pairs_complain *complain_to, void *data)
{
	struct parser parser = { .pairs = into, .arena = arena, .complain = complain_to, .data = data };
	if (!into->pairs) {
		into->pairs = arena_array(arena, PAIRS_MOST, sizeof *into->pairs);
		into->lines = arena_array(arena, PAIR_LINES_MOST, sizeof *into->lines);
	}
	if (!into->pairs || !into->lines)
		return -ENOMEM;
	while (bytes) {
		char line[LINE_BYTES];
		const char *end = memchr(text, '\n', bytes);
		size_t length = end ? (size_t)(end - text) : bytes, kept = MIN_OF(length, sizeof line - 1);
		memcpy(line, text, kept);
		line[kept] = '\0';
		parser.line++;
		/* A NUL would hide the rest of its line. */
		if (length > kept || memchr(line, '\0', kept)) {
			if (parser.section_line || pairs_is_section(skip_blanks(line)))
				complain(&parser, parser.line,
					 "a line of text with less than %u bytes is expected", LINE_BYTES);
		} else {
			take_line(&parser, line);
		}
		text += length + (end != NULL);
		bytes -= length + (end != NULL);
	}
	section_close(&parser);
	return arena->failed ? -ENOMEM : parser.mistakes;
}
