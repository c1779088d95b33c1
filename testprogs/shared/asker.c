/* Asks for more than there can be while it is being loaded, and lives with less. */
#include "shared/asker.h"

#include <stdint.h>
#include <stdlib.h>

static int refused;

__attribute__((constructor)) static void ask(void)
{
	volatile size_t most = PTRDIFF_MAX;
	void *block = malloc(most);
	refused = !block;
	free(block);
}

int asker_refused(void)
{
	return refused;
}
