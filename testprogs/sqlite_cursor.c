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
#include <sqlite3.h>
#include <stdbool.h>
#include <stdlib.h>

#include "lib/show.h"

static void must(sqlite3 *db, int result)
{
	if (result == SQLITE_OK)
		return;
	fprintf(stderr, "sqlite: %s\n", sqlite3_errmsg(db));
	exit(1);
}

static sqlite3 *open_db(const char *path)
{
	sqlite3 *db;

	must(NULL, sqlite3_open(path, &db));
	must(db, sqlite3_exec(db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF", NULL, NULL, NULL));
	return db;
}

static bool is_known(sqlite3_stmt *query, int id)
{
	while (sqlite3_step(query) == SQLITE_ROW) /* line: steps */
		if (sqlite3_column_int(query, 0) == id)
			return true;
	sqlite3_reset(query);
	return false;
}

int main(int argc, char **argv)
{
	int frames = 0, moved = 0;

	if (argc < 2)
		return 2;
	sqlite3 *writer = open_db(argv[1]), *reader = open_db(argv[1]);
	must(writer,
	     sqlite3_exec(writer, "CREATE TABLE t(id); INSERT INTO t VALUES(1),(2),(3)", NULL, NULL, NULL));
	sqlite3_stmt *query;
	must(reader, sqlite3_prepare_v2(reader, "SELECT id FROM t", -1, &query, NULL));
	is_known(query, 4);
	is_known(query, 2);
	for (int i = 0; i < 20; i++) {
		must(writer,
		     sqlite3_exec(writer, "INSERT INTO t SELECT id + 10 FROM t LIMIT 100", NULL, NULL, NULL));
		sleep_ms(100);
	}
	sqlite3_wal_checkpoint_v2(writer, NULL, SQLITE_CHECKPOINT_PASSIVE, &frames, &moved);
	printf("%d of %d frames moved: %s\n", moved, frames,
	       moved < frames ? "checkpoints are held up" : "checkpoints work");
	return 0;
}
#else
int main(void)
{
	printf("no sqlite3.h: apt-get install libsqlite3-dev\n");
	return 77;
}
#endif
