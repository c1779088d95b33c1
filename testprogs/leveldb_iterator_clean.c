/*
 * The same with a look-up that destroys its iterator whatever it found.
 *
 * BUILD: -lleveldb
 * RUN: whoholds run --set iterating=1s %prog %dir/db
 * TIMEOUT: 90
 * KINDS: none
 * EXPECT-STDOUT: old files go
 */
#include <stdio.h>

#if __has_include(<leveldb/c.h>)
#include <leveldb/c.h>
#define STORE(name) leveldb_##name
#define EARLY_RETURN 0
#include "lib/iterator_store.h"
#else
int main(void)
{
	printf("no leveldb/c.h: apt-get install libleveldb-dev\n");
	return 77;
}
#endif
