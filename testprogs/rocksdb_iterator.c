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
 * EXPECT-JSON: finding("iterator-open") | has_frame("opened"; "first_from"; {{line lib/iterator_store.h opens}}) and has_thread({{tid looks-up}})
 * EXPECT-JSON: finding("iterator-leak") | .count == 1 and has_frame("opened"; "first_from"; {{line lib/iterator_store.h opens}})
 */
#include <stdio.h>

#if __has_include(<rocksdb/c.h>)
#include <rocksdb/c.h>
#define STORE(name) rocksdb_##name
#define EARLY_RETURN 1
#include "lib/iterator_store.h"
#else
int main(void)
{
	printf("no rocksdb/c.h: apt-get install librocksdb-dev\n");
	return 77;
}
#endif
