/*
 * The same with a look-up that ends its transaction on every way out.
 *
 * BUILD: -llmdb
 * RUN: whoholds run --set iterating=1s --set blocked=1h %prog %dir/db
 * TIMEOUT: 60
 * KINDS: none
 * EXPECT-STDOUT: the file stays
 */
#include <stdio.h>

#if __has_include(<lmdb.h>)
#include "lib/lmdb_overwrite.h"

static int look_up(int number)
{
	MDB_txn *txn;
	MDB_val key = { sizeof number, &number }, value;

	must(mdb_txn_begin(env, NULL, MDB_RDONLY, &txn));
	int found = mdb_get(txn, dbi, &key, &value) == MDB_SUCCESS;
	mdb_txn_abort(txn);
	return found;
}

int main(int argc, char **argv)
{
	return lmdb_main(argc, argv);
}
#else
int main(void)
{
	printf("no lmdb.h: apt-get install liblmdb-dev\n");
	return 77;
}
#endif
