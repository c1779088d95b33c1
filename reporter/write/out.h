/*
 * Output: what a writer says, gathered and passed to its sink in large pieces.
 *
 * Text for people goes through out_put and out_format, which let nothing through
 * that a terminal would obey: names of threads, objects and files come from the
 * program (and a recording may come from anybody), so that control characters and
 * bytes that are no UTF-8 are replaced. out_raw is for formats that escape by
 * themselves.
 *
 * Context: reporter. After an error of the sink everything is dropped and the
 * error stays in sink->error.
 */
#ifndef WH_WRITE_OUT_H
#define WH_WRITE_OUT_H

#include "base/text.h"
#include "reporter/write/report.h"

struct out {
	struct sink *sink;
	struct text text; /* what the sink has not got yet */
	size_t column;    /* characters since the last newline */
	bool color;
};

/* Return: 0 or -ENOMEM. The buffer belongs to `arena`. */
int out_init(struct out *out, struct sink *sink, struct arena *arena, bool color);

/* Passes on what is left. Return: 0, or the sink's error. */
int out_finish(struct out *out);

void out_raw(struct out *out, const char *bytes, size_t count);

/* A newline in the text becomes a space: one call writes on one line. */
void out_put(struct out *out, const char *text);
void out_format(struct out *out, const char *format, ...) PRINTF(2, 3); /* at most 1,000 bytes */
void out_newline(struct out *out);

/* Spaces up to `column` (from 0), two at the least where the line has come that far already. */
void out_pad(struct out *out, size_t column);
void out_indent(struct out *out, size_t columns);

enum color { COLOR_PLAIN, COLOR_STRONG, COLOR_FAINT, COLOR_ERROR, COLOR_WARNING, COLOR_INFO };

/* Nothing where the report is not in colour. */
void out_color(struct out *out, enum color color);

/*
 * The bytes of the UTF-8 character that `text` begins with, of which `left` bytes are there; 0: it is
 * none (overlong forms, surrogates and numbers past U+10FFFF are none). Context: signal.
 */
size_t utf8_length(const char *text, size_t left);

/* Characters, as a terminal counts them about, in a NUL-terminated text. Context: signal. */
size_t utf8_width(const char *text);

#endif
