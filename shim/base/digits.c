#include "base/digits.h"

#include <string.h>

const char *digits_hex(const char *at, uint64_t *ret_number)
{
	uint64_t number = 0;
	for (;; at++) {
		if (*at >= '0' && *at <= '9')
			number = number << 4 | (uint64_t)(*at - '0');
		else if (*at >= 'a' && *at <= 'f')
			number = number << 4 | (uint64_t)(*at - 'a' + 10);
		else
			break;
	}
	*ret_number = number;
	return at;
}

const char *digits_decimal(const char *at, uint64_t *ret_number)
{
	uint64_t number = 0;
	for (; *at >= '0' && *at <= '9'; at++)
		number = number * 10 + (uint64_t)(*at - '0');
	*ret_number = number;
	return at;
}

const char *digits_either(const char *at, uint64_t *ret_number)
{
	while (*at == ' ')
		at++;
	return at[0] == '0' && at[1] == 'x' ? digits_hex(at + 2, ret_number) : digits_decimal(at, ret_number);
}

const char *digits_behind(const char *text, const char *name)
{
	const char *at = strstr(text, name);
	if (!at)
		return NULL;
	for (at += strlen(name); *at == '\t' || *at == ' '; at++)
		;
	return at;
}
