/*
 * The same with a look-up that destroys its iterator whatever it found.
 *
 * BUILD: -lrocksdb
 * RUN: whoholds run --set iterating=1s %prog %dir/db
 * TIMEOUT: 90
 * KINDS: none
 * EXPECT-STDOUT: old files go
 */
#include <stdio.h>

#if __has_include(<rocksdb/c.h>)
#include <rocksdb/c.h>
#define STORE(name) rocksdb_##name
#define EARLY_RETURN 0
#include "lib/iterator_store.h"
#else
int main(void)
{
	printf("no rocksdb/c.h: apt-get install librocksdb-dev\n");
	return 77;
}
#endif
