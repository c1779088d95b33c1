#include "registry/alert.h"

#include <string.h>

#include "platform/sys.h"
#include "registry/recording.h"

uint32_t alert_append(const void *finding, uint32_t bytes)
{
	uint64_t at = recording_append(REC_ALERTS, bytes);
	if (at == UINT64_MAX)
		return 0;
	char *place = (char *)recording_table(REC_ALERTS) + at;
	/* The size comes last: a reader that meets a zero there has reached the end. */
	memcpy(place + sizeof(uint32_t), (const char *)finding + sizeof(uint32_t), bytes - sizeof(uint32_t));
	__atomic_store_n((uint32_t *)place, bytes, __ATOMIC_RELEASE);
	uint32_t number = __atomic_add_fetch(&recording->alerts, 1, __ATOMIC_RELEASE);
	sys_futex_wake((const uint32_t *)&recording->alerts, 1);
	return number;
}
