/*
 * JSON, written piece by piece: objects, arrays and scalars in the order in which
 * they stand in the file. Commas come by themselves. Strings are always UTF-8: bytes
 * that are none become U+FFFD.
 *
 * Context: reporter. Errors: those of out.h.
 */
#ifndef WH_WRITE_JSON_OUT_H
#define WH_WRITE_JSON_OUT_H

#include "reporter/write/out.h"

struct json {
	struct out *out;
	bool after_value; /* a comma is due before the next value */
};

/* `key` is a name in an object; NULL: the value stands in an array, or alone. Keys are not escaped. */
void json_begin(struct json *json, const char *key, char bracket); /* '{' or '[' */
void json_end(struct json *json, char bracket);                    /* '}' or ']' */
void json_null(struct json *json, const char *key);
void json_bool(struct json *json, const char *key, bool value);
void json_number(struct json *json, const char *key, uint64_t value);
void json_signed(struct json *json, const char *key, int64_t value);
void json_seconds(struct json *json, const char *key, uint64_t ns); /* 1.5; at most six decimals */
void json_hex(struct json *json, const char *key, uint64_t value);  /* "0x1f": numbers of JSON end at 2^53 */
void json_string(struct json *json, const char *key, const char *value); /* NULL: null */
void json_bytes(struct json *json, const char *key, const char *value, size_t count);
void json_time(struct json *json, const char *key, uint64_t real_ns); /* "2026-01-01T00:00:00Z"; 0: null */

#endif
