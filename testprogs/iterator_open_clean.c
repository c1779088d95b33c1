/*
 * iterator_open, put right: many short iterations, and directories read in time.
 *
 * RUN: whoholds run --set iterating=500ms %prog
 * TIMEOUT: 20
 * KINDS: none
 */
#include <dirent.h>
#include <stdio.h>

#include "lib/map.h"
#include "lib/show.h"

static struct map prices = MAP_INIT("prices");
static long sum;

static void export_all(void)
{
	struct map_iter iter;
	const char *key;
	int value;
	DIR *directory = opendir("/");

	map_iter_begin(&prices, &iter);
	while (map_iter_next(&iter, &key, &value))
		sum += value;
	map_iter_end(&iter);
	closedir(directory);
}

static void *exporter(void *unused)
{
	for (int i = 0; i < 200; i++) {
		export_all();
		sleep_ms(5);
	}
	return unused;
}

int main(void)
{
	map_put(&prices, "bread", 3);
	map_put(&prices, "butter", 4);
	map_put(&prices, "cheese", 5);
	pthread_join(thread_start(exporter, NULL), NULL);
	map_clear(&prices);
	printf("sum %ld\n", sum);
	return 0;
}
