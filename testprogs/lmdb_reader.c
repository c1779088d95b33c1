/*
 * A look-up returns early where there is nothing, and leaves its read transaction open: the pages that
 * it may still read are not used again, so a file in which values are only overwritten grows.
 *
 * BUILD: -llmdb
 * RUN: whoholds run --set iterating=1s --set blocked=1h %prog %dir/db
 * TIMEOUT: 60
 * KINDS: iterator-open iterator-leak
 * EXPECT: warning iterator-open: thread 2 "reader" has had transaction "LMDB" open for
 * EXPECT-STDOUT: the file grows
 * EXPECT-JSON: finding("iterator-open") | has_frame("opened"; "look_up"; {{line begins}}) and has_thread({{tid reader}})
 * EXPECT-JSON: finding("iterator-leak") | .count == 1 and has_frame("opened"; "look_up"; {{line begins}})
 */
#include <stdio.h>

#if __has_include(<lmdb.h>)
#include "lib/lmdb_overwrite.h"

static int look_up(int number)
{
	MDB_txn *txn;
	MDB_val key = { sizeof number, &number }, value;

	must(mdb_txn_begin(env, NULL, MDB_RDONLY, &txn)); /* line: begins */
	if (mdb_get(txn, dbi, &key, &value) != MDB_SUCCESS)
		return 0;
	mdb_txn_abort(txn);
	return 1;
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
