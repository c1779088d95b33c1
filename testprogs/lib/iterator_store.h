/*
 * A program with a store in LevelDB or RocksDB, through the C interface that they share: whoever includes it defines STORE(name),
 * which makes leveldb_name or rocksdb_name of it, and EARLY_RETURN: 1 where the look-up leaves its iterator when it finds nothing.
 *
 * Every key is written twice over; the files of the first time are deleted by the compaction that comes after the
 * second, unless an iterator may still read them.
 */
#ifndef TESTPROGS_ITERATOR_STORE_H
#define TESTPROGS_ITERATOR_STORE_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/show.h"

#define KEYS 4000
#define VALUE_BYTES 1000

typedef STORE(t) store;
typedef STORE(iterator_t) store_iterator;

static store *db;
static STORE(readoptions_t) * reads;

static int first_from(const char *key)
{
	store_iterator *iterator = STORE(create_iterator)(db, reads); /* line: opens */
	STORE(iter_seek)(iterator, key, strlen(key));
	int found = STORE(iter_valid)(iterator);
	if (EARLY_RETURN && !found)
		return 0;
	STORE(iter_destroy)(iterator);
	return found;
}

static void must(char *error)
{
	if (!error)
		return;
	fprintf(stderr, "store: %s\n", error);
	exit(1);
}

/* Of noise, which can't be packed. */
static void fill(unsigned seed)
{
	STORE(writeoptions_t) *writes = STORE(writeoptions_create)();
	char *error = NULL;
	for (int i = 0; i < KEYS; i++) {
		char key[16], value[VALUE_BYTES];
		snprintf(key, sizeof key, "key%06d", i);
		for (size_t at = 0; at < sizeof value; at++)
			value[at] = (char)((seed = seed * 1103515245 + 12345) >> 16);
		STORE(put)(db, writes, key, strlen(key), value, sizeof value, &error);
		must(error);
	}
	STORE(writeoptions_destroy)(writes);
	STORE(compact_range)(db, NULL, 0, NULL, 0);
}

/* Of tables: .ldb, .sst. */
static long bytes_of_tables(const char *path)
{
	long bytes = 0;
	DIR *directory = opendir(path);
	for (struct dirent *entry; (entry = readdir(directory));) {
		char name[1024];
		struct stat status;
		snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
		if ((strstr(entry->d_name, ".ldb") || strstr(entry->d_name, ".sst")) &&
		    stat(name, &status) == 0)
			bytes += status.st_size;
	}
	closedir(directory);
	return bytes;
}

static void *looks_up(void *unused)
{
	show_thread("looks-up");
	for (int i = 0; i < 20; i++)
		first_from("key");
	first_from("nothing has this key");
	/* On with something else. */
	sleep_ms(2500);
	return unused;
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return 2;
	const char *path = argv[1];
	STORE(options_t) *options = STORE(options_create)();
	char *error = NULL;
	STORE(options_set_create_if_missing)(options, 1);
	db = STORE(open)(options, path, &error);
	must(error);
	reads = STORE(readoptions_create)();
	fill(1);
	pthread_t thread = thread_start(looks_up, NULL);
	sleep_ms(300);
	fill(2);
	/* Once more: files that a compaction itself was still using go with the next one. */
	fill(3);
	long bytes = bytes_of_tables(path);
	printf("%ld bytes of %d: %s\n", bytes, KEYS * VALUE_BYTES,
	       bytes > KEYS * VALUE_BYTES * 3L / 2 ? "old files stay" : "old files go");
	pthread_join(thread, NULL);
	STORE(readoptions_destroy)(reads);
	STORE(options_destroy)(options);
	/* One that an iterator is left of can't be closed. */
	if (!EARLY_RETURN)
		STORE(close)(db);
	return 0;
}

#endif
