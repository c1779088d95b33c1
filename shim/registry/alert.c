/*
 * Why the log of alerts is safe without a lock: recording_append gives each piece of the table to one thread. An
 * entry's first word, its size, is stored last (release); a reader (acquire) who meets 0 there has come to what is
 * still being written, and stops: what lies behind it he reads the next time. `alerts` counts the entries that are
 * whole, so that a reader who has seen fewer knows that there are more to come. The pieces are as large as their
 * entries, up to the next 8 bytes, which is how readers go from one to the next.
 *
 * Tested by testprogs/unit/test_concurrent.c, also under ThreadSanitizer.
 */
#include "registry/alert.h"

#include <string.h>

#include "platform/sys.h"
#include "registry/recording.h"

/* Numbers given out; `alerts` in the header counts those that are complete. */
static uint32_t begun;

uint32_t alert_append(const void *finding, uint32_t bytes, uint32_t number_at)
{
	uint64_t at = recording_append(REC_ALERTS, bytes);
	if (at == UINT64_MAX)
		return 0;
	char *place = (char *)recording_table(REC_ALERTS) + at;
	/* The size comes last: a reader that meets a zero there has reached the end. */
	memcpy(place + sizeof(uint32_t), (const char *)finding + sizeof(uint32_t), bytes - sizeof(uint32_t));
	uint32_t number = __atomic_add_fetch(&begun, 1, __ATOMIC_RELAXED);
	memcpy(place + number_at, &number, sizeof number);
	__atomic_store_n((uint32_t *)place, bytes, __ATOMIC_RELEASE);
	__atomic_fetch_add((uint32_t *)&recording->alerts, 1, __ATOMIC_RELEASE);
	sys_futex_wake((const uint32_t *)&recording->alerts, 1);
	return number;
}

void alert_fork_child(void)
{
	begun = 0;
}
