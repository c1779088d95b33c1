#include "reporter/scan/timers.h"

#include <errno.h>
#include <string.h>

#include "base/digits.h"
#include "platform/process.h"
#include "reporter/scan/memory.h"

/* "signal: 34/000055d0c8e6d010" */
void timers_parse(const char *text, void (*each)(uint64_t word, void *data), void *data)
{
	static const char field[] = "signal:";
	for (const char *at = text; (at = strstr(at, field));) {
		at += sizeof field - 1;
		size_t length = strcspn(at, "/\n");
		if (at[length] == '/') {
			uint64_t word;
			digits_hex(at + length + 1, &word);
			each(word, data);
		}
	}
}

static void mark_timer(uint64_t word, void *data)
{
	mark_word(data, word);
}

#define TIMERS_BYTES ((uint64_t)256 * 1024)

bool timers_readable(int32_t pid)
{
	char *list = memory_array(TIMERS_BYTES, 1);
	long got = list ? process_read(pid, "timers", list, TIMERS_BYTES) : -ENOMEM;
	memory_free(list, TIMERS_BYTES, 1);
	return got >= 0 && (uint64_t)got < TIMERS_BYTES - 1;
}

void timers_mark(struct mark *mark, int32_t pid)
{
	char *list = memory_array(TIMERS_BYTES, 1);
	if (list && process_read(pid, "timers", list, TIMERS_BYTES) > 0)
		timers_parse(list, mark_timer, mark);
	memory_free(list, TIMERS_BYTES, 1);
}
