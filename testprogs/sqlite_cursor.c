/*
 * A reader finds what it looks for in the first row and returns: the statement is
 * not reset, so its read transaction stays open, and SQLite's checkpoints move
 * nothing past it. The log grows with every write.
 *
 * Hard because the program calls nothing but SQLite, which is as it comes from the distribution, and every
 * call of it succeeds.
 *
 * BUILD: -lsqlite3
 * RUN: whoholds run --set iterating=1s %prog %dir/test.db
 * TIMEOUT: 60
 * KINDS: iterator-open iterator-leak
 * EXPECT: warning iterator-open:
 * EXPECT: has had statement "SQLite" open for
 * EXPECT-STDOUT: checkpoints are held up
 * EXPECT-JSON: finding("iterator-open") | has_frame("opened"; "is_known"; {{line steps}})
 * EXPECT-JSON: finding("iterator-leak") | has_frame("opened"; "is_known"; {{line steps}})
 */
#include <stdio.h>

#if __has_include(<sqlite3.h>)
#include "lib/sqlite_wal.h"

static bool is_known(sqlite3_stmt *rows, int id)
{
	while (sqlite3_step(rows) == SQLITE_ROW) /* line: steps */
		if (sqlite3_column_int(rows, 0) == id)
			return true;
	sqlite3_reset(rows);
	return false;
}

int main(int argc, char **argv)
{
	return wal_main(argc, argv);
}
#else
int main(void)
{
	printf("no sqlite3.h: apt-get install libsqlite3-dev\n");
	return 77;
}
#endif
