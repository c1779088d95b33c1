#include "lib/lose.h"

#include <stddef.h>
#include <stdlib.h>

#include "lib/show.h"

__attribute__((noinline)) void lose(void)
{
	for (int i = 0; i < 5; i++)
		*(volatile char *)malloc(1000) = 'x'; /* line: lost */
}

__attribute__((noinline)) void wipe_stack(void)
{
	volatile char stack[8192];
	for (size_t i = 0; i < sizeof stack; i++)
		stack[i] = 0;
}

void *sleep_on(void *unused)
{
	void *volatile own = malloc(2000);
	for (;;)
		sleep_ms(1000);
	(void)own;
	return unused;
}
