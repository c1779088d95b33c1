/*
 * A database with a write-ahead log: one connection writes, another one looks something up before that. Whoever
 * includes it defines is_known(), which does.
 */
#ifndef TESTPROGS_SQLITE_WAL_H
#define TESTPROGS_SQLITE_WAL_H

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

static bool is_known(sqlite3_stmt *rows, int id);

static sqlite3 *writer, *reader;
static sqlite3_stmt *query;

/* The connections and the statement are left to whoever calls it. */
static int wal_main(int argc, char **argv)
{
	int frames = 0, moved = 0;

	if (argc < 2)
		return 2;
	writer = open_db(argv[1]);
	reader = open_db(argv[1]);
	must(writer,
	     sqlite3_exec(writer, "CREATE TABLE t(id); INSERT INTO t VALUES(1),(2),(3)", NULL, NULL, NULL));
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

#endif
