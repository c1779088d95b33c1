#include "base/units.h"

#include <errno.h>
#include <string.h>

/*
 * A decimal number with an optional fraction, in millionths. strtod depends on
 * the program's locale, and the program's locale is its own business.
 */
static int parse_millionths(const char **at, uint64_t *ret_millionths)
{
	const char *from = *at;
	uint64_t whole = 0, fraction = 0, scale = 1000000;
	bool any = false;
	for (; *from >= '0' && *from <= '9'; from++) {
		any = true;
		if (__builtin_mul_overflow(whole, 10, &whole) ||
		    __builtin_add_overflow(whole, (uint64_t)(*from - '0'), &whole))
			return -ERANGE;
	}
	if (*from == '.' && any) {
		for (from++; *from >= '0' && *from <= '9'; from++)
			if (scale > 1) {
				scale /= 10;
				fraction += scale * (uint64_t)(*from - '0');
			}
	}
	if (!any)
		return -EINVAL;
	if (__builtin_mul_overflow(whole, 1000000, &whole) || __builtin_add_overflow(whole, fraction, &whole))
		return -ERANGE;
	*at = from;
	*ret_millionths = whole;
	return 0;
}

struct unit {
	const char *name;
	uint64_t factor;
};

static int parse_unit(const char *text, const struct unit *units, size_t count, bool bare_zero_only,
		      uint64_t *ret_value)
{
	uint64_t millionths;
	int error = parse_millionths(&text, &millionths);
	if (error)
		return error;
	while (*text == ' ')
		text++;
	if (!*text && (!bare_zero_only || millionths == 0)) {
		if (millionths % 1000000)
			return -EINVAL;
		*ret_value = millionths / 1000000;
		return 0;
	}
	for (size_t i = 0; i < count; i++) {
		if (strcmp(text, units[i].name) != 0)
			continue;
		__extension__ unsigned __int128 value =
		    (unsigned __int128)millionths * units[i].factor / 1000000;
		if (value > UINT64_MAX)
			return -ERANGE;
		*ret_value = (uint64_t)value;
		return 0;
	}
	return -EINVAL;
}

int units_parse_size(const char *text, uint64_t *ret_bytes)
{
	static const struct unit units[] = {
		{ "B", 1 },
		{ "KiB", UINT64_C(1) << 10 },
		{ "MiB", UINT64_C(1) << 20 },
		{ "GiB", UINT64_C(1) << 30 },
		{ "KB", 1000 },
		{ "MB", 1000000 },
		{ "GB", 1000000000 },
	};
	return parse_unit(text, units, COUNT_OF(units), false, ret_bytes);
}

int units_parse_duration(const char *text, nsec_t *ret_ns)
{
	static const struct unit units[] = {
		{ "ms", NSEC_PER_MSEC },
		{ "s", NSEC_PER_SEC },
		{ "m", 60 * NSEC_PER_SEC },
		{ "h", 3600 * NSEC_PER_SEC },
	};
	return parse_unit(text, units, COUNT_OF(units), true, ret_ns);
}

int units_parse_percent(const char *text, double *ret_percent)
{
	uint64_t millionths;
	int error = parse_millionths(&text, &millionths);
	if (error)
		return error;
	if (strcmp(text, "%") != 0)
		return -EINVAL;
	*ret_percent = (double)millionths / 1e6;
	return 0;
}

/* `value` tenths of `unit`, without the tenth where it says nothing. */
static void put_tenths(struct text *text, uint64_t tenths, const char *unit)
{
	text_decimal(text, tenths / 10);
	if (tenths < 1000 && tenths % 10)
		text_format(text, ".%u", (unsigned)(tenths % 10));
	text_byte(text, ' ');
	text_put(text, unit);
}

void units_put_duration(struct text *text, nsec_t ns)
{
	uint64_t seconds = ns / NSEC_PER_SEC;
	if (ns < NSEC_PER_MSEC)
		text_format(text, "%lu us", ns / 1000);
	else if (ns < NSEC_PER_SEC)
		text_format(text, "%lu ms", ns / NSEC_PER_MSEC);
	else if (seconds < 100)
		text_format(text, "%lu.%lu s", seconds, ns % NSEC_PER_SEC / (NSEC_PER_SEC / 10));
	else if (seconds < 3600)
		text_format(text, "%lu m %lu s", seconds / 60, seconds % 60);
	else
		text_format(text, "%lu h %lu m", seconds / 3600, seconds % 3600 / 60);
}

void units_put_size(struct text *text, uint64_t bytes)
{
	static const char *const names[] = { "KiB", "MiB", "GiB", "TiB" };
	if (bytes < 1024) {
		text_format(text, "%lu %s", bytes, bytes == 1 ? "byte" : "bytes");
		return;
	}
	unsigned unit = 0;
	uint64_t divisor = 1024;
	while (unit + 1 < COUNT_OF(names) && bytes / divisor >= 1024) {
		divisor *= 1024;
		unit++;
	}
	uint64_t whole = bytes / divisor;
	put_tenths(text, whole * 10 + (bytes % divisor) * 10 / divisor, names[unit]);
}

void units_put_count(struct text *text, uint64_t count)
{
	char digits[24];
	struct text plain = TEXT_OF(digits);
	text_decimal(&plain, count);
	for (size_t i = 0; i < plain.used; i++) {
		if (i && (plain.used - i) % 3 == 0)
			text_byte(text, ',');
		text_byte(text, digits[i]);
	}
}
