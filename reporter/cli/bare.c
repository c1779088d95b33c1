#include "reporter/cli/bare.h"

#include "reporter/cli/complain.h"

int bare_dump(struct renderer *renderer, pid_t pid)
{
	(void)renderer;
	complain("process %d does not run under whoholds", pid);
	return EXIT_FAILED;
}
