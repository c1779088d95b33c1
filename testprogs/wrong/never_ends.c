/*
 * The runner's own test: does not end in time.
 *
 * TIMEOUT: 2
 */
#include <unistd.h>

int main(void)
{
	for (;;)
		pause();
}
