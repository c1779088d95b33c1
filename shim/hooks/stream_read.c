/*
 * Reads of streams, which sleep inside of libc where no hook sees it. A program may do that from its very start, with nothing of ours
 * ever called again: it has no reporter thread yet, and whoever asks for its leaks would get no answer. So
 * before such a read that finds its buffer empty, and the descriptor silent, the thread is started. Where nothing is empty that is a
 * comparison and a jump, of which reading character by character shows nothing.
 *
 * Not seen are streams of wide characters, whose bytes lie in another buffer.
 */
#include <features.h>

/* libc's header would define some of them in line. */
#undef __USE_EXTERN_INLINES

#include "hooks/hook.h"

#include <stdarg.h>
#include <stdio.h>

/* Macros in some libcs. */
#undef getc
#undef getchar
#undef getc_unlocked
#undef getchar_unlocked
#undef fgetc_unlocked

/* An empty buffer; as it is in any stream that was not read from yet. Who reads nothing may give none. */
static inline bool is_empty(const FILE *stream)
{
	return stream && stream->_IO_read_ptr >= stream->_IO_read_end;
}

static NOINLINE void look(const FILE *stream)
{
	HOOK(hook, ALLOC);
	if (hook.track && stream && stream->_fileno >= 0)
		hook_may_sleep(stream->_fileno);
}

#define READS_FROM(from, type, name, arguments, passed) \
	EXPORT type name arguments \
	{ \
		if (UNLIKELY(!real.name || is_empty(from))) \
			look(from); \
		return real.name passed; \
	}
#define READS(type, name, arguments, passed) READS_FROM(stream, type, name, arguments, passed)
#define READS_STDIN(type, name, arguments, passed) READS_FROM(stdin, type, name, arguments, passed)

READS(char *, fgets, (char *into, int size, FILE *stream), (into, size, stream))
READS(char *, fgets_unlocked, (char *into, int size, FILE *stream), (into, size, stream))
READS(char *, __fgets_chk, (char *into, size_t room, int size, FILE *stream), (into, room, size, stream))
READS(ssize_t, getline, (char **line, size_t *room, FILE *stream), (line, room, stream))
READS(ssize_t, getdelim, (char **line, size_t *room, int end, FILE *stream), (line, room, end, stream))
READS(ssize_t, __getdelim, (char **line, size_t *room, int end, FILE *stream), (line, room, end, stream))
READS(size_t, fread, (void *into, size_t size, size_t count, FILE *stream), (into, size, count, stream))
READS(size_t, fread_unlocked, (void *into, size_t size, size_t count, FILE *stream),
      (into, size, count, stream))
READS(size_t, __fread_chk, (void *into, size_t room, size_t size, size_t count, FILE *stream),
      (into, room, size, count, stream))

#define READS_CHAR(name) READS(int, name, (FILE * stream), (stream))

READS_CHAR(getc)
READS_CHAR(fgetc)
READS_CHAR(_IO_getc)
READS_CHAR(getc_unlocked)
READS_CHAR(fgetc_unlocked)
READS_STDIN(int, getchar, (void), ())
READS_STDIN(int, getchar_unlocked, (void), ())
/* Where the compiler has put getc_unlocked into the program: what is called for more. */
READS_CHAR(__uflow)
READS_CHAR(__underflow)

/* By two names: that of C99, and that of C23, which knows binary numbers. */
READS(int, __isoc99_vfscanf, (FILE * stream, const char *format, va_list into), (stream, format, into))
READS(int, __isoc23_vfscanf, (FILE * stream, const char *format, va_list into), (stream, format, into))
READS_STDIN(int, __isoc99_vscanf, (const char *format, va_list into), (format, into))
READS_STDIN(int, __isoc23_vscanf, (const char *format, va_list into), (format, into))

#define SCANS(name, call, first, from) \
	EXPORT int name(first, ...) \
	{ \
		va_list into; \
		va_start(into, format); \
		int result = call(from, format, into); \
		va_end(into); \
		return result; \
	}
#define COMMA ,

SCANS(__isoc99_scanf, __isoc99_vfscanf, const char *format, stdin)
SCANS(__isoc23_scanf, __isoc23_vfscanf, const char *format, stdin)
SCANS(__isoc99_fscanf, __isoc99_vfscanf, FILE *stream COMMA const char *format, stream)
SCANS(__isoc23_fscanf, __isoc23_vfscanf, FILE *stream COMMA const char *format, stream)
