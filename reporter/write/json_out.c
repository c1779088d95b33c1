#include "reporter/write/json_out.h"

#include <string.h>

static void put(struct json *json, const char *text)
{
	out_raw(json->out, text, strlen(text));
}

static void put_number(struct json *json, uint64_t number)
{
	char digits[24];
	struct text text = TEXT_OF(digits);
	text_decimal(&text, number);
	out_raw(json->out, digits, text.used);
}

static void begin_value(struct json *json, const char *key)
{
	if (json->after_value)
		put(json, ",");
	json->after_value = true;
	if (!key)
		return;
	put(json, "\"");
	put(json, key);
	put(json, "\":");
}

void json_begin(struct json *json, const char *key, char bracket)
{
	begin_value(json, key);
	out_raw(json->out, &bracket, 1);
	json->after_value = false;
}

void json_end(struct json *json, char bracket)
{
	out_raw(json->out, &bracket, 1);
	json->after_value = true;
}

void json_null(struct json *json, const char *key)
{
	begin_value(json, key);
	put(json, "null");
}

void json_bool(struct json *json, const char *key, bool value)
{
	begin_value(json, key);
	put(json, value ? "true" : "false");
}

void json_number(struct json *json, const char *key, uint64_t value)
{
	begin_value(json, key);
	put_number(json, value);
}

void json_signed(struct json *json, const char *key, int64_t value)
{
	begin_value(json, key);
	if (value < 0)
		put(json, "-");
	put_number(json, value < 0 ? -(uint64_t)value : (uint64_t)value);
}

void json_seconds(struct json *json, const char *key, uint64_t ns)
{
	char digits[40] = "";
	struct text text = TEXT_OF(digits);
	text_format(&text, "%lu.%06lu", ns / NSEC_PER_SEC, ns % NSEC_PER_SEC / 1000);
	while (digits[text.used - 1] == '0' && digits[text.used - 2] != '.')
		text.used--;
	begin_value(json, key);
	out_raw(json->out, digits, text.used);
}

void json_hex(struct json *json, const char *key, uint64_t value)
{
	char digits[24];
	struct text text = TEXT_OF(digits);
	text_hex(&text, value);
	json_bytes(json, key, digits, text.used);
}

/* One byte that JSON wants escaped. */
static void put_escaped(struct json *json, unsigned char byte)
{
	static const char short_forms[] = "\bb\ff\nn\rr\tt\"\"\\\\";
	char escape[6] = "\\u00";
	for (size_t i = 0; i + 1 < sizeof short_forms; i += 2) {
		if ((unsigned char)short_forms[i] != byte)
			continue;
		escape[1] = short_forms[i + 1];
		out_raw(json->out, escape, 2);
		return;
	}
	escape[4] = "0123456789abcdef"[byte >> 4];
	escape[5] = "0123456789abcdef"[byte & 15];
	out_raw(json->out, escape, sizeof escape);
}

void json_bytes(struct json *json, const char *key, const char *value, size_t count)
{
	begin_value(json, key);
	put(json, "\"");
	while (count) {
		size_t length = utf8_length(value, count);
		unsigned char first = (unsigned char)value[0];
		if (!length)
			put(json, "\\ufffd");
		else if (first < 0x20 || first == 0x7f || first == '"' || first == '\\')
			put_escaped(json, first);
		else
			out_raw(json->out, value, length);
		length = length ? length : 1;
		value += length;
		count -= length;
	}
	put(json, "\"");
}

void json_string(struct json *json, const char *key, const char *value)
{
	if (value)
		json_bytes(json, key, value, strlen(value));
	else
		json_null(json, key);
}

/*
 * The date of a day counted from 1970-01-01, by the calendar that begins with March, whose leap day
 * is the last (Howard Hinnant, "chrono-compatible low-level date algorithms").
 */
static void civil_date(uint64_t day, unsigned *ret_year, unsigned *ret_month, unsigned *ret_day)
{
	day += 719468; /* days from 0000-03-01 */
	uint64_t era = day / 146097;
	unsigned of_era = (unsigned)(day % 146097);
	unsigned year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	unsigned of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	unsigned month = (5 * of_year + 2) / 153;
	*ret_day = of_year - (153 * month + 2) / 5 + 1;
	*ret_month = month < 10 ? month + 3 : month - 9;
	*ret_year = year_of_era + (unsigned)era * 400 + (*ret_month <= 2);
}

void json_time(struct json *json, const char *key, uint64_t real_ns)
{
	if (!real_ns) {
		json_null(json, key);
		return;
	}
	uint64_t seconds = real_ns / NSEC_PER_SEC;
	unsigned year, month, day;
	civil_date(seconds / 86400, &year, &month, &day);
	char buffer[40];
	struct text text = TEXT_OF(buffer);
	text_format(&text, "%04u-%02u-%02uT%02u:%02u:%02uZ", year, month, day,
		    (unsigned)(seconds / 3600 % 24), (unsigned)(seconds / 60 % 60), (unsigned)(seconds % 60));
	json_bytes(json, key, buffer, text.used);
}
