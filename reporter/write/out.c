#include "reporter/write/out.h"

#include <errno.h>
#include <string.h>

#define BUFFER_BYTES ((size_t)16 * 1024) /* chosen somewhat arbitrarily */
#define REPLACEMENT "\xef\xbf\xbd"       /* U+FFFD */

int out_init(struct out *out, struct sink *sink, struct arena *arena, bool color)
{
	char *buffer = arena_alloc(arena, BUFFER_BYTES);
	if (!buffer)
		return -ENOMEM;
	*out = (struct out){ .sink = sink, .text = { .at = buffer, .size = BUFFER_BYTES }, .color = color };
	return 0;
}

static void flush(struct out *out)
{
	struct sink *sink = out->sink;
	if (out->text.used && !sink->error)
		sink->error = sink->put(sink, out->text.at, out->text.used);
	out->text.used = 0;
}

int out_finish(struct out *out)
{
	flush(out);
	return out->sink->error;
}

void out_raw(struct out *out, const char *bytes, size_t count)
{
	while (count) {
		size_t room = out->text.size - 1 - out->text.used;
		if (!room) {
			flush(out);
			continue;
		}
		size_t now = MIN_OF(count, room);
		text_bytes(&out->text, bytes, now);
		bytes += now;
		count -= now;
	}
}

size_t utf8_length(const char *text, size_t left)
{
	const unsigned char *byte = (const unsigned char *)text;
	size_t length;
	if (!left)
		return 0;
	if (byte[0] < 0x80)
		return 1;
	if (byte[0] >= 0xc2 && byte[0] < 0xe0)
		length = 2;
	else if (byte[0] >= 0xe0 && byte[0] < 0xf0)
		length = 3;
	else if (byte[0] >= 0xf0 && byte[0] < 0xf5)
		length = 4;
	else
		return 0;
	if (left < length)
		return 0;
	for (size_t i = 1; i < length; i++)
		if ((byte[i] & 0xc0) != 0x80)
			return 0;
	if ((byte[0] == 0xe0 && byte[1] < 0xa0) || (byte[0] == 0xed && byte[1] >= 0xa0) ||
	    (byte[0] == 0xf0 && byte[1] < 0x90) || (byte[0] == 0xf4 && byte[1] >= 0x90))
		return 0;
	return length;
}

size_t utf8_width(const char *text)
{
	size_t width = 0;
	for (size_t left = strlen(text); left; width++) {
		size_t length = utf8_length(text, left);
		length = length ? length : 1;
		text += length;
		left -= length;
	}
	return width;
}

static void put_bytes(struct out *out, const char *text, size_t count)
{
	while (count) {
		size_t length = utf8_length(text, count);
		unsigned char first = (unsigned char)text[0];
		/* U+0080 to U+009F are control characters too: 0xc2 0x80 to 0xc2 0x9f. */
		bool control = first < 0x20 || first == 0x7f ||
			       (length == 2 && first == 0xc2 && (unsigned char)text[1] < 0xa0);
		if (!length)
			out_raw(out, REPLACEMENT, strlen(REPLACEMENT));
		else if (control)
			out_raw(out, first == '\n' || first == '\t' ? " " : "?", 1);
		else
			out_raw(out, text, length);
		out->column++;
		length = length ? length : 1;
		text += length;
		count -= length;
	}
}

void out_put(struct out *out, const char *text)
{
	put_bytes(out, text, strlen(text));
}

void out_format(struct out *out, const char *format, ...)
{
	char buffer[1001];
	struct text text = TEXT_OF(buffer);
	va_list list;
	va_start(list, format);
	text_vformat(&text, format, list);
	va_end(list);
	put_bytes(out, buffer, text.used);
}

void out_newline(struct out *out)
{
	out_raw(out, "\n", 1);
	out->column = 0;
}

void out_indent(struct out *out, size_t columns)
{
	for (size_t i = 0; i < columns; i++)
		out_raw(out, " ", 1);
	out->column += columns;
}

void out_pad(struct out *out, size_t column)
{
	out_indent(out, out->column + 2 <= column ? column - out->column : 2);
}

void out_color(struct out *out, enum color color)
{
	static const char *const codes[] = {
		[COLOR_PLAIN] = "\033[0m",    [COLOR_STRONG] = "\033[1m",     [COLOR_FAINT] = "\033[2m",
		[COLOR_ERROR] = "\033[1;31m", [COLOR_WARNING] = "\033[1;33m", [COLOR_INFO] = "\033[1;36m",
	};
	if (out->color)
		out_raw(out, codes[color], strlen(codes[color]));
}
