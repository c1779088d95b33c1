/*
 * The same with a reader that resets its statement whatever it found.
 *
 * BUILD: -lsqlite3
 * RUN: whoholds run --set iterating=1s %prog %dir/test.db
 * TIMEOUT: 60
 * KINDS: none
 * EXPECT-STDOUT: checkpoints work
 */
#include <stdio.h>

#if __has_include(<sqlite3.h>)
#include "lib/sqlite_wal.h"

static bool is_known(sqlite3_stmt *rows, int id)
{
	bool known = false;

	while (!known && sqlite3_step(rows) == SQLITE_ROW)
		known = sqlite3_column_int(rows, 0) == id;
	sqlite3_reset(rows);
	return known;
}

int main(int argc, char **argv)
{
	int result = wal_main(argc, argv);
	sqlite3_finalize(query);
	sqlite3_close(reader);
	sqlite3_close(writer);
	return result;
}
#else
int main(void)
{
	printf("no sqlite3.h: apt-get install libsqlite3-dev\n");
	return 77;
}
#endif
