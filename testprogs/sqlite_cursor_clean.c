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
	bool known = false;

	while (!known && sqlite3_step(query) == SQLITE_ROW)
		known = sqlite3_column_int(query, 0) == id;
	sqlite3_reset(query);
	return known;
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
	sqlite3_finalize(query);
	sqlite3_close(reader);
	sqlite3_close(writer);
	return 0;
}
#else
int main(void)
{
	printf("no sqlite3.h: apt-get install libsqlite3-dev\n");
	return 77;
}
#endif
