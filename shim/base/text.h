/*
 * Text into a buffer of fixed size, without stdio: for the library's messages
 * and for writers that run on the reporter thread. What does not fit is cut,
 * and `cut` is set. The buffer is always NUL-terminated.
 */
#ifndef WH_BASE_TEXT_H
#define WH_BASE_TEXT_H

#include <stdarg.h>

#include "base/context.h"
#include "base/types.h"

struct text {
	char *at;    /* the buffer; owned by the caller */
	size_t size; /* bytes in it */
	size_t used; /* bytes written, the NUL not counted */
	bool cut;
};

#define TEXT_OF(buffer) ((struct text){ .at = (buffer), .size = sizeof(buffer) })

/* All of these: Context: signal. */
void text_byte(struct text *text, char byte);
void text_bytes(struct text *text, const char *bytes, size_t count);
void text_put(struct text *text, const char *string);
void text_decimal(struct text *text, uint64_t number);
void text_signed(struct text *text, int64_t number);
void text_hex(struct text *text, uint64_t number); /* with 0x */

/*
 * A small printf: %s %.*s %d %u %zu %lu %lld %llu %x %lx %llx %p %c %% with an
 * optional width and zero flag. Anything else is written as it stands.
 */
void text_format(struct text *text, const char *format, ...) PRINTF(2, 3);
void text_vformat(struct text *text, const char *format, va_list list) PRINTF(2, 0);

#endif
