#include "reporter/cli/json_in.h"

#include <stdlib.h>
#include <string.h>

#define DEPTH_MOST 100u

struct reading {
	struct arena *arena;
	const char *at;
	unsigned depth;
};

static bool read_value(struct reading *reading, struct json_value *value);

static void skip_blanks(struct reading *reading)
{
	while (*reading->at == ' ' || *reading->at == '\t' || *reading->at == '\n' || *reading->at == '\r')
		reading->at++;
}

static bool take(struct reading *reading, char wanted)
{
	skip_blanks(reading);
	if (*reading->at != wanted)
		return false;
	reading->at++;
	return true;
}

static bool take_word(struct reading *reading, const char *word)
{
	size_t length = strlen(word);
	if (strncmp(reading->at, word, length) != 0)
		return false;
	reading->at += length;
	return true;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Four digits behind \u. Return: -1: they are none. */
static int32_t read_unit(struct reading *reading)
{
	int32_t unit = 0;
	for (unsigned i = 0; i < 4; i++) {
		int digit = hex_digit(*reading->at);
		if (digit < 0)
			return -1;
		unit = unit << 4 | digit;
		reading->at++;
	}
	return unit;
}

/* Return: bytes written; 0: it is no character. */
static size_t put_character(char *to, uint32_t character)
{
	if (character == 0 || character > 0x10ffff || (character >= 0xd800 && character < 0xe000))
		return 0;
	if (character < 0x80) {
		to[0] = (char)character;
		return 1;
	}
	size_t bytes = character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;
	for (size_t i = bytes - 1; i > 0; i--, character >>= 6)
		to[i] = (char)(0x80 | (character & 0x3f));
	static const uint8_t first[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
	to[0] = (char)(first[bytes] | character);
	return bytes;
}

static size_t read_unicode(struct reading *reading, char *to)
{
	int32_t unit = read_unit(reading);
	if (unit >= 0xd800 && unit < 0xdc00 && take_word(reading, "\\u")) {
		int32_t low = read_unit(reading);
		if (low < 0xdc00 || low > 0xdfff)
			return 0;
		return put_character(to,
				     0x10000u + (((uint32_t)unit - 0xd800) << 10) + ((uint32_t)low - 0xdc00));
	}
	return unit < 0 ? 0 : put_character(to, (uint32_t)unit);
}

static size_t read_escape(struct reading *reading, char *to)
{
	static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
	char letter = *reading->at;
	if (!letter)
		return 0;
	reading->at++;
	if (letter == 'u')
		return read_unicode(reading, to);
	const char *found = strchr(letters, letter);
	if (!found)
		return 0;
	*to = meanings[found - letters];
	return 1;
}

/* Behind the opening quote. What is read is never longer than what it is read from. */
static const char *read_string(struct reading *reading)
{
	size_t length = 0, used = 0;
	while (reading->at[length] && reading->at[length] != '"')
		length += reading->at[length] == '\\' && reading->at[length + 1] ? 2 : 1;
	char *text = arena_alloc(reading->arena, length + 1);
	if (!text || !reading->at[length])
		return NULL;
	while (*reading->at != '"') {
		if ((unsigned char)*reading->at < 0x20)
			return NULL;
		if (*reading->at != '\\') {
			text[used++] = *reading->at++;
			continue;
		}
		reading->at++;
		size_t bytes = read_escape(reading, text + used);
		if (!bytes)
			return NULL;
		used += bytes;
	}
	reading->at++;
	text[used] = '\0';
	return text;
}

static bool read_number(struct reading *reading, struct json_value *value)
{
	const char *digits = reading->at + (*reading->at == '-');
	char *end;
	if (*digits < '0' || *digits > '9')
		return false;
	value->type = JSON_NUMBER;
	value->number = strtod(reading->at, &end);
	reading->at = end;
	return true;
}

static bool read_members(struct reading *reading, struct json_value *value, char end)
{
	struct json_value *last = NULL;
	value->type = end == '}' ? JSON_OBJECT : JSON_ARRAY;
	if (take(reading, end))
		return true;
	do {
		struct json_value *member = arena_array(reading->arena, 1, sizeof *member);
		const char *key = NULL;
		if (!member)
			return false;
		if (end == '}' &&
		    (!take(reading, '"') || !(key = read_string(reading)) || !take(reading, ':')))
			return false;
		if (!read_value(reading, member))
			return false;
		member->key = key;
		if (last)
			last->next = member;
		else
			value->first = member;
		last = member;
	} while (take(reading, ','));
	return take(reading, end);
}

static bool read_value(struct reading *reading, struct json_value *value)
{
	*value = (struct json_value){ .type = JSON_NULL };
	skip_blanks(reading);
	if (take_word(reading, "null"))
		return true;
	if (take_word(reading, "true") || take_word(reading, "false")) {
		value->type = reading->at[-2] == 'u' ? JSON_TRUE : JSON_FALSE;
		return true;
	}
	char first = *reading->at;
	if (first != '"' && first != '[' && first != '{')
		return read_number(reading, value);
	reading->at++;
	if (first == '"') {
		value->type = JSON_STRING;
		value->string = read_string(reading);
		return value->string;
	}
	if (++reading->depth > DEPTH_MOST)
		return false;
	bool whole = read_members(reading, value, first == '{' ? '}' : ']');
	reading->depth--;
	return whole;
}

const struct json_value *json_read(struct arena *arena, const char **at)
{
	struct reading reading = { .arena = arena, .at = *at };
	struct json_value *value = arena_array(arena, 1, sizeof *value);
	if (!value || !read_value(&reading, value))
		return NULL;
	skip_blanks(&reading);
	*at = reading.at;
	return value;
}

const struct json_value *json_member(const struct json_value *object, const char *key)
{
	if (!object || object->type != JSON_OBJECT)
		return NULL;
	for (const struct json_value *member = object->first; member; member = member->next)
		if (strcmp(member->key, key) == 0)
			return member;
	return NULL;
}

const char *json_text_of(const struct json_value *object, const char *key, const char *missing)
{
	const struct json_value *member = json_member(object, key);
	return member && member->type == JSON_STRING ? member->string : missing;
}

double json_number_of(const struct json_value *object, const char *key, double missing)
{
	const struct json_value *member = json_member(object, key);
	return member && member->type == JSON_NUMBER ? member->number : missing;
}
