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
#include "lib/iterator_store.h"

static int first_from(const char *key)
{
	store_iterator *iterator = STORE(create_iterator)(db, reads);
	STORE(iter_seek)(iterator, key, strlen(key));
	int found = STORE(iter_valid)(iterator);
	STORE(iter_destroy)(iterator);
	return found;
}

int main(int argc, char **argv)
{
	int result = argc < 2 ? 2 : store_main(argv[1]);
	if (db)
		STORE(close)(db);
	return result;
}
#else
int main(void)
{
	printf("no leveldb/c.h: apt-get install libleveldb-dev\n");
	return 77;
}
#endif
