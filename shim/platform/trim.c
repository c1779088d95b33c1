#include "platform/trim.h"

#include <errno.h>

#include "platform/process.h"
#include "platform/real.h"

static int (*malloc_trim_function)(size_t pad);
static uint32_t wanted;

void trim_init(void)
{
	malloc_trim_function = (int (*)(size_t))real_find("malloc_trim", NULL);
}

void trim_want(void)
{
	if (!malloc_trim_function)
		return;
	__atomic_store_n(&wanted, 1, __ATOMIC_RELEASE);
	/* The next one to allocate finds the gate closed, sees that, and opens it. */
	process_gate_set(GATE_CLOSED);
}

void trim_if_wanted(void)
{
	if (LIKELY(!__atomic_load_n(&wanted, __ATOMIC_RELAXED)) ||
	    !__atomic_exchange_n(&wanted, 0, __ATOMIC_ACQ_REL))
		return;
	int error = errno;
	malloc_trim_function(0);
	errno = error;
}
