#include "base/text.h"

#include <string.h>

void text_bytes(struct text *text, const char *bytes, size_t count)
{
	if (text->size == 0) {
		text->cut = true;
		return;
	}
	size_t room = text->size - 1 - text->used;
	if (count > room) {
		count = room;
		text->cut = true;
	}
	memcpy(text->at + text->used, bytes, count);
	text->used += count;
	text->at[text->used] = '\0';
}

void text_byte(struct text *text, char byte)
{
	text_bytes(text, &byte, 1);
}

void text_put(struct text *text, const char *string)
{
	text_bytes(text, string, strlen(string));
}

/* `width` digits at least, filled with `fill`. */
static void put_number(struct text *text, uint64_t number, unsigned base, int width, char fill)
{
	char digits[24];
	int at = sizeof digits;
	do {
		digits[--at] = "0123456789abcdef"[number % base];
		number /= base;
	} while (number);
	for (int filled = (int)sizeof digits - at; filled < width; filled++)
		text_byte(text, fill);
	text_bytes(text, digits + at, sizeof digits - (size_t)at);
}

void text_decimal(struct text *text, uint64_t number)
{
	put_number(text, number, 10, 0, ' ');
}

void text_signed(struct text *text, int64_t number)
{
	if (number < 0)
		text_byte(text, '-');
	put_number(text, number < 0 ? -(uint64_t)number : (uint64_t)number, 10, 0, ' ');
}

void text_hex(struct text *text, uint64_t number)
{
	text_put(text, "0x");
	put_number(text, number, 16, 0, ' ');
}

void text_format(struct text *text, const char *format, ...)
{
	va_list list;
	va_start(list, format);
	text_vformat(text, format, list);
	va_end(list);
}

void text_vformat(struct text *text, const char *format, va_list list)
{
	for (const char *at = format; *at; at++) {
		if (*at != '%') {
			text_byte(text, *at);
			continue;
		}
		const char *from = at++;
		char fill = ' ';
		int width = 0, precision = -1, longs = 0;
		if (*at == '0') {
			fill = '0';
			at++;
		}
		while (*at >= '0' && *at <= '9')
			width = width * 10 + (*at++ - '0');
		if (at[0] == '.' && at[1] == '*') {
			precision = va_arg(list, int);
			at += 2;
		}
		for (; *at == 'l' || *at == 'z'; at++)
			longs++;
		switch (*at) {
		case 's': {
			const char *string = va_arg(list, const char *);
			if (!string)
				string = "(null)";
			size_t count = precision >= 0 ? strnlen(string, (size_t)precision) : strlen(string);
			for (int filled = (int)count; filled < width; filled++)
				text_byte(text, ' ');
			text_bytes(text, string, count);
			break;
		}
		case 'd':
			text_signed(text, longs ? va_arg(list, int64_t) : va_arg(list, int));
			break;
		case 'u':
			put_number(text, longs ? va_arg(list, uint64_t) : va_arg(list, unsigned), 10, width,
				   fill);
			break;
		case 'x':
			put_number(text, longs ? va_arg(list, uint64_t) : va_arg(list, unsigned), 16, width,
				   fill);
			break;
		case 'p':
			text_hex(text, (uintptr_t)va_arg(list, void *));
			break;
		case 'c':
			text_byte(text, (char)va_arg(list, int));
			break;
		case '%':
			text_byte(text, '%');
			break;
		default:
			text_bytes(text, from, (size_t)(at - from) + (*at ? 1 : 0));
			if (!*at)
				at--;
		}
	}
}
