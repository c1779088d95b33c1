#include "options.h"

#include <errno.h>
#include <string.h>

#include "option_values.h"

const struct option_entry option_table[] = {
#define OPTION(id, type, standard, accepts, sentence) { #id, #type, standard, accepts, sentence },
#include "options.def"
	{ NULL, NULL, NULL, NULL, NULL },
};

struct options options;

/* Longer keys are unknown without a closer look; longer values are cut in messages. */
#define KEY_BYTES 32
#define SHOWN_BYTES 60

static int option_find(const char *key, size_t length)
{
	for (int i = 0; option_table[i].name; i++)
		if (strlen(option_table[i].name) == length && memcmp(option_table[i].name, key, length) == 0)
			return i;
	return -1;
}

/* -- messages -------------------------------------------------------------- */

/* Quoted for a terminal: cut where it is long, and no control characters. */
static void put_quoted(struct text *text, const char *bytes, size_t count)
{
	text_byte(text, '\'');
	for (size_t i = 0; i < count && i < SHOWN_BYTES; i++)
		text_byte(text, (unsigned char)bytes[i] < ' ' || bytes[i] == 127 ? '?' : bytes[i]);
	text_put(text, count > SHOWN_BYTES ? "...'" : "'");
}

/* Edit distance; both at most KEY_BYTES - 1 long. */
static unsigned distance(const char *left, size_t left_bytes, const char *right)
{
	unsigned char row[KEY_BYTES];
	size_t right_bytes = strlen(right);
	for (size_t j = 0; j <= right_bytes; j++)
		row[j] = (unsigned char)j;
	for (size_t i = 1; i <= left_bytes; i++) {
		unsigned diagonal = row[0];
		row[0] = (unsigned char)i;
		for (size_t j = 1; j <= right_bytes; j++) {
			unsigned replace = diagonal + (left[i - 1] != right[j - 1]);
			unsigned drop = MIN_OF(row[j], row[j - 1]) + 1u;
			diagonal = row[j];
			row[j] = (unsigned char)MIN_OF(replace, drop);
		}
	}
	return row[right_bytes];
}

/* A third of the word may be wrong: "bloked" is blocked, "xyz" is nothing. */
static const char *nearest_key(const char *key, size_t length)
{
	const char *nearest = NULL;
	unsigned least = 0;
	if (!length || length >= KEY_BYTES)
		return NULL;
	for (const struct option_entry *entry = option_table; entry->name; entry++) {
		unsigned far = distance(key, length, entry->name);
		if (far <= MAX_OF(length / 3, 1) && (!nearest || far < least)) {
			nearest = entry->name;
			least = far;
		}
	}
	return nearest;
}

static void complain_key(struct text *ret_error, const char *key, size_t length)
{
	const char *nearest = nearest_key(key, length);
	text_put(ret_error, "no option ");
	put_quoted(ret_error, key, length);
	if (nearest)
		text_format(ret_error, "; did you mean '%s'?", nearest);
	else
		text_put(ret_error, "; 'whoholds help options' lists them");
}

static void complain_value(struct text *ret_error, const struct option_entry *entry, const char *value,
			   int error)
{
	text_format(ret_error, "option '%s': ", entry->name);
	if (!*value) {
		text_put(ret_error, "empty value");
	} else {
		text_put(ret_error, error == -ERANGE ? "out of range: " : "bad value ");
		put_quoted(ret_error, value, strlen(value));
	}
	if (strcmp(entry->type, "text") == 0 && error == -ERANGE)
		text_format(ret_error, "; at most %u bytes", OPTION_TEXT_BYTES - 1);
	else
		text_format(ret_error, "; allowed: %s", entry->accepts);
}

/* -- the interface --------------------------------------------------------- */

void options_init(struct options *into)
{
	memset(into, 0, sizeof *into);
	for (int id = 0; id < OPTION_COUNT; id++)
		option_take(into, (enum option_id)id, option_table[id].standard);
}

int options_set(struct options *into, const char *key, const char *value, struct text *ret_error)
{
	int id = option_find(key, strlen(key));
	if (id < 0) {
		complain_key(ret_error, key, strlen(key));
		return -ENOENT;
	}
	int error = option_take(into, (enum option_id)id, value);
	if (error)
		complain_value(ret_error, &option_table[id], value, error);
	return error;
}

/*
 * Where the value that starts at `value` ends. A text may hold ':' itself and goes on to the next
 * one that a known key and '=' follow; no other value holds one.
 */
static size_t value_length(const char *value, const char *type)
{
	size_t end = strcspn(value, ":");
	if (!type || strcmp(type, "text") != 0)
		return end;
	while (value[end]) {
		const char *next = value + end + 1;
		size_t key_bytes = strcspn(next, "=:");
		if (next[key_bytes] == '=' && option_find(next, key_bytes) >= 0)
			return end;
		end += 1 + strcspn(next, ":");
	}
	return end;
}

int options_parse(struct options *into, const char *list, void (*complain)(const char *message))
{
	int mistakes = 0;
	while (*list) {
		char message[320], value[OPTION_TEXT_BYTES + 1];
		struct text error = TEXT_OF(message);
		size_t key_bytes = strcspn(list, "=:");
		if (list[key_bytes] != '=') {
			/* Empty pieces ("a=1::b=2", a ':' at the end) are nobody's mistake. */
			if (key_bytes) {
				text_put(&error, "option ");
				put_quoted(&error, list, key_bytes);
				text_put(&error, " has no value; write key=value:key=value");
				complain(message);
				mistakes++;
			}
			list += key_bytes + (list[key_bytes] == ':');
			continue;
		}
		int id = option_find(list, key_bytes);
		const char *from = list + key_bytes + 1;
		size_t value_bytes = value_length(from, id < 0 ? NULL : option_table[id].type);
		if (id < 0) {
			complain_key(&error, list, key_bytes);
		} else {
			/* One byte too many is kept, so that a value which is too long stays too long. */
			size_t kept = MIN_OF(value_bytes, sizeof value - 1);
			memcpy(value, from, kept);
			value[kept] = '\0';
			int bad = option_take(into, (enum option_id)id, value);
			if (bad)
				complain_value(&error, &option_table[id], value, bad);
		}
		if (error.used) {
			complain(message);
			mistakes++;
		}
		list = from + value_bytes + (from[value_bytes] == ':');
	}
	return mistakes;
}

void options_write(const struct options *from, struct text *text)
{
	struct options standard;
	options_init(&standard);
	for (int id = 0; id < OPTION_COUNT; id++) {
		char mine_bytes[OPTION_TEXT_BYTES], standard_bytes[OPTION_TEXT_BYTES];
		mine_bytes[0] = standard_bytes[0] = '\0';
		struct text mine = TEXT_OF(mine_bytes), theirs = TEXT_OF(standard_bytes);
		option_put(&mine, from, (enum option_id)id);
		option_put(&theirs, &standard, (enum option_id)id);
		if (strcmp(mine_bytes, standard_bytes) == 0)
			continue;
		if (text->used)
			text_byte(text, ':');
		text_format(text, "%s=%s", option_table[id].name, mine_bytes);
	}
}
