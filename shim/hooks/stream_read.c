/*
 * Reads of streams, which sleep inside of libc where no hook sees it. A program may do that from its very start, with nothing of ours
 * ever called again: it has no reporter thread yet, and whoever asks for its leaks would get no answer. So
 * before such a read that finds its buffer empty, and the descriptor silent, the thread is started. What is read character by
 * character is not looked at: that would cost a good part of it.
 */
#include <features.h>

/* libc's header would define some of them in line. */
#undef __USE_EXTERN_INLINES

#include "hooks/hook.h"

#include <stdio.h>

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

#define READS(type, name, arguments, passed) \
	EXPORT type name arguments \
	{ \
		if (UNLIKELY(!real.name || is_empty(stream))) \
			look(stream); \
		return real.name passed; \
	}

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
