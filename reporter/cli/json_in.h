/*
 * JSON as it is read: a whole text as a tree. Strict, of bounded depth, and made for texts from anybody.
 *
 * Context: offline. Memory is the caller's arena's; strings and trees live as long.
 */
#ifndef WH_CLI_JSON_IN_H
#define WH_CLI_JSON_IN_H

#include "base/arena.h"
#include "base/types.h"

enum json_type { JSON_NULL, JSON_FALSE, JSON_TRUE, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json_value {
	enum json_type type;
	double number;
	const char *string;             /* UTF-8, NUL-terminated; of a string */
	const char *key;                /* in an object; NULL elsewhere */
	const struct json_value *first; /* of what is in an array or object */
	const struct json_value *next;  /* beside it */
};

/* Reads one value; *at goes behind it and the blanks that follow. Return: NULL: it is none, or there is no memory. */
const struct json_value *json_read(struct arena *arena, const char **at);

/* What an object has under `key`; NULL: nothing, or it is no object. The text or number of that, or `missing`. */
const struct json_value *json_member(const struct json_value *object, const char *key);
const char *json_text_of(const struct json_value *object, const char *key, const char *missing);
double json_number_of(const struct json_value *object, const char *key, double missing);

#endif
