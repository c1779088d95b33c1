/*
 * Is loaded while the program runs, and uses libthings, which somebody else has loaded: through calls, and through a table of functions
 * in its data.
 */
#include "shared/user.h"

#include "shared/things.h"

const struct user_table user_table = { thing_open, thing_close };

struct thing *user_opens(const char *name)
{
	return thing_open(name); /* line: calls */
}

void user_closes(struct thing *thing)
{
	thing_close(thing);
}
