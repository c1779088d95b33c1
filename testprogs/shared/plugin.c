/* Has a lock of its own, which may be left locked when it is unloaded, or is given back by its destructor. */
#include "shared/plugin.h"

#include <pthread.h>

static pthread_mutex_t plugin_lock = PTHREAD_MUTEX_INITIALIZER;
static int tidies;

void plugin_takes(void)
{
	pthread_mutex_lock(&plugin_lock); /* line: takes */
}

void plugin_gives(void)
{
	pthread_mutex_unlock(&plugin_lock);
}

void plugin_tidies(void)
{
	tidies = 1;
}

__attribute__((destructor)) static void plugin_ends(void)
{
	if (tidies)
		plugin_gives();
}
