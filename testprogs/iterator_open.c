/*
 * An iterator left open for long by a thread that is busy elsewhere, and a
 * directory likewise: nobody is blocked, but the map can't change.
 *
 * RUN: whoholds run --set iterating=500ms %prog
 * TIMEOUT: 20
 * KINDS: iterator-open
 * EXPECT: warning iterator-open:
 * EXPECT: iterator_open.c:{{line iterates}}
 * EXPECT-JSON: finding("iterator-open") | has_frame("opened"; "export_all"; {{line iterates}})
 * EXPECT-JSON: finding("iterator-open") | has_frame("opened"; "export_all"; {{line lists}})
 * EXPECT-JSON: finding("iterator-open") | has_object("iterator"; "{{addr iterator}}")
 */
#include <dirent.h>
#include <stdio.h>
#include <time.h>

#include "lib/map.h"
#include "lib/show.h"

static struct map prices = MAP_INIT("prices");
static volatile unsigned long work;

static void compute(double seconds)
{
	struct timespec begin, now;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	do {
		for (int i = 0; i < 10000; i++)
			work = work * 31 + 1;
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while ((double)(now.tv_sec - begin.tv_sec) + (double)(now.tv_nsec - begin.tv_nsec) / 1e9 < seconds);
}

static void export_all(void)
{
	struct map_iter iter;
	const char *key;
	int value;
	DIR *directory = opendir("/"); /* line: lists */

	show_addr("iterator", &iter);
	map_iter_begin(&prices, &iter); /* line: iterates */
	while (map_iter_next(&iter, &key, &value))
		compute(0.5);
	map_iter_end(&iter);
	closedir(directory);
}

static void *exporter(void *unused)
{
	show_thread("exporter");
	export_all();
	return unused;
}

int main(void)
{
	map_put(&prices, "bread", 3);
	map_put(&prices, "butter", 4);
	map_put(&prices, "cheese", 5);
	pthread_join(thread_start(exporter, NULL), NULL);
	map_clear(&prices);
	return 0;
}
