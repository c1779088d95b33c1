/*
 * What the tracker itself needs: BLOCKS live blocks of 16 to 112 bytes, 64 on average; then EVENTS of them are
 * freed and allocated again, and LOST are forgotten (so that there is something to report). It lives REST milliseconds longer, so
 * that what a tracker does by the clock has been done whether events were few or many. Run by scripts/bench.
 *
 *   live_blocks [BLOCKS [EVENTS [LOST [REST]]]]
 *
 * Prints "pss_kib" and "rss_kib", of the whole process.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "bench/bench.h"

static unsigned random_state = 12345;

static unsigned random_below(unsigned limit)
{
	random_state = random_state * 1103515245 + 12345;
	return (random_state >> 8) % limit;
}

static char *block_make(void)
{
	size_t size = 16 + random_below(97);
	char *block = malloc(size);

	if (!block)
		abort();
	/* Touched as a program would, so that the block's page is there with and without a tracker. */
	return memset(block, 1, size);
}

static void show_memory(void)
{
	char line[256];
	FILE *file = fopen("/proc/self/smaps_rollup", "r");
	long kib;

	if (!file)
		return;
	while (fgets(line, sizeof line, file)) {
		if (sscanf(line, "Pss: %ld", &kib) == 1)
			printf("pss_kib %ld\n", kib);
		if (sscanf(line, "Rss: %ld", &kib) == 1)
			printf("rss_kib %ld\n", kib);
	}
	fclose(file);
}

int main(int argc, char **argv)
{
	long blocks = number_argument(argc, argv, 1, 1000000);
	long events = number_argument(argc, argv, 2, 0);
	long lost = number_argument(argc, argv, 3, 0);
	long rest = number_argument(argc, argv, 4, 0);
	char **live = malloc((size_t)(blocks + 1) * sizeof *live);

	if (!live)
		abort();
	for (long i = 0; i < blocks; i++)
		live[i] = block_make();
	for (long i = 0; i < events; i++) {
		char **place = &live[random_below((unsigned)blocks)];

		free(*place);
		*place = block_make();
	}
	show_memory();
	nanosleep(&(struct timespec){ rest / 1000, rest % 1000 * 1000000 }, NULL);
	for (long i = 0; i < lost && i < blocks; i++)
		live[i] = NULL;
	for (long i = lost; i < blocks; i++)
		free(live[i]);
	free(live);
	return 0;
}
