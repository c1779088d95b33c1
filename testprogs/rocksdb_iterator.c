/*
 * A look-up in RocksDB returns early where there is nothing, and leaves its iterator: no file that it may
 * read is deleted, however often they are written anew.
 *
 * BUILD: -lrocksdb
 * RUN: whoholds run --set iterating=1s %prog %dir/db
 * TIMEOUT: 90
 * KINDS: iterator-open iterator-leak
 * EXPECT: "looks-up" has had iterator "RocksDB" open for
 * EXPECT-STDOUT: old files stay
 * EXPECT-JSON: finding("iterator-open") | has_frame("opened"; "first_from"; {{line opens}}) and has_thread({{tid looks-up}})
 * EXPECT-JSON: finding("iterator-leak") | .count == 1 and has_frame("opened"; "first_from"; {{line opens}})
 */
#include <stdio.h>

#if __has_include(<rocksdb/c.h>)
#include <rocksdb/c.h>
#define STORE(name) rocksdb_##name
#include "lib/iterator_store.h"

static int first_from(const char *key)
{
	store_iterator *iterator = STORE(create_iterator)(db, reads); /* line: opens */
	STORE(iter_seek)(iterator, key, strlen(key));
	if (!STORE(iter_valid)(iterator))
		return 0;
	STORE(iter_destroy)(iterator);
	return 1;
}

int main(int argc, char **argv)
{
	return argc < 2 ? 2 : store_main(argv[1]);
}
#else
int main(void)
{
	printf("no rocksdb/c.h: apt-get install librocksdb-dev\n");
	return 77;
}
#endif
