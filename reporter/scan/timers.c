#include "reporter/scan/timers.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "platform/sys.h"
#include "reporter/scan/memory.h"

static uint64_t hex_number(const char *at)
{
	uint64_t value = 0;
	for (;; at++) {
		if (*at >= '0' && *at <= '9')
			value = value << 4 | (uint64_t)(*at - '0');
		else if (*at >= 'a' && *at <= 'f')
			value = value << 4 | (uint64_t)(*at - 'a' + 10);
		else
			return value;
	}
}

/* "signal: 34/000055d0c8e6d010" */
void timers_parse(const char *text, void (*each)(uint64_t word, void *data), void *data)
{
	static const char field[] = "signal:";
	for (const char *at = text; (at = strstr(at, field));) {
		at += sizeof field - 1;
		size_t length = strcspn(at, "/\n");
		if (at[length] == '/')
			each(hex_number(at + length + 1), data);
	}
}

static void mark_timer(uint64_t word, void *data)
{
	mark_word(data, word);
}

#define TIMERS_BYTES ((uint64_t)256 * 1024)

static long read_timers(int32_t pid, char *list)
{
	char path[64];
	struct text text = TEXT_OF(path);
	if (pid)
		text_format(&text, "/proc/%d/timers", pid);
	else
		text_put(&text, "/proc/self/timers");
	return sys_read_file(path, list, TIMERS_BYTES);
}

bool timers_readable(int32_t pid)
{
	char *list = memory_array(TIMERS_BYTES, 1);
	long got = list ? read_timers(pid, list) : -ENOMEM;
	memory_free(list, TIMERS_BYTES, 1);
	return got >= 0 && (uint64_t)got < TIMERS_BYTES - 1;
}

void timers_mark(struct mark *mark, int32_t pid)
{
	char *list = memory_array(TIMERS_BYTES, 1);
	if (list && read_timers(pid, list) > 0)
		timers_parse(list, mark_timer, mark);
	memory_free(list, TIMERS_BYTES, 1);
}
