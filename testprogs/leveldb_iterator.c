/*
 * A look-up in LevelDB returns early where there is nothing, and leaves its iterator: no file that it may
 * read is deleted, however often they are written anew.
 *
 * BUILD: -lleveldb
 * RUN: whoholds run --set iterating=1s %prog %dir/db
 * TIMEOUT: 90
 * KINDS: iterator-open iterator-leak
 * EXPECT: "looks-up" has had iterator "LevelDB" open for
 * EXPECT-STDOUT: old files stay
 * EXPECT-JSON: finding("iterator-open") | has_frame("opened"; "first_from"; {{line lib/iterator_store.h opens}}) and has_thread({{tid looks-up}})
 * EXPECT-JSON: finding("iterator-leak") | .count == 1 and has_frame("opened"; "first_from"; {{line lib/iterator_store.h opens}})
 */
#include <stdio.h>

#if __has_include(<leveldb/c.h>)
#include <leveldb/c.h>
#define STORE(name) leveldb_##name
#define EARLY_RETURN 1
#include "lib/iterator_store.h"
#else
int main(void)
{
	printf("no leveldb/c.h: apt-get install libleveldb-dev\n");
	return 77;
}
#endif
