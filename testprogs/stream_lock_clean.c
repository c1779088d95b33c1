/*
 * Streams kept for oneself, as often as one likes, by the thread that has them
 * already, tried for in vain, and closed while kept; others print to them all the while.
 *
 * TIMEOUT: 20
 * KINDS: none
 */
#include <stdio.h>

#include "lib/check.h"
#include "lib/show.h"

#define ROUNDS 2000

static FILE *shared;

static void *prints(void *unused)
{
	for (int i = 0; i < ROUNDS; i++)
		fprintf(shared, "%d\n", i);
	return unused;
}

static void *tries(void *unused)
{
	for (int i = 0; i < ROUNDS; i++)
		if (ftrylockfile(shared) == 0)
			funlockfile(shared);
	return unused;
}

static void *keeps(void *unused)
{
	for (int i = 0; i < ROUNDS; i++) {
		flockfile(shared);
		flockfile(shared);
		CHECK_EQUAL(ftrylockfile(shared), 0);
		putc_unlocked('.', shared);
		fputs("kept\n", shared);
		funlockfile(shared);
		funlockfile(shared);
		funlockfile(shared);
	}
	FILE *mine = fopen("/dev/null", "w");
	flockfile(mine);
	fclose(mine);
	return unused;
}

int main(void)
{
	shared = fopen("/dev/null", "w");
	pthread_t threads[] = { thread_start(prints, NULL), thread_start(tries, NULL),
				thread_start(keeps, NULL), thread_start(keeps, NULL) };
	for (unsigned i = 0; i < sizeof(threads) / sizeof(threads[0]); i++)
		pthread_join(threads[i], NULL);
	check_mark();
	flockfile(shared);
	CHECK_HELD(1);
	funlockfile(shared);
	CHECK_HELD(0);
	fclose(shared);
	return 0;
}
