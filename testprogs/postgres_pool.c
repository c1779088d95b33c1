/*
 * A function asks a connection of a pool, and where it gets an error it returns without clearing its result and without putting the
 * connection back. When all three are gone the next one waits for ever, and it is the same thread.
 *
 * Hard because it waits for nobody: there is no thread that could put one back.
 *
 * BUILD: -I/usr/include/postgresql -lpq
 * RUN: whoholds run --set children=no --set held=1s --set blocked=1s %prog %src/shared/database-server %dir/db
 * TIMEOUT: 120
 * KINDS: iterator-open iterator-leak
 * EXPECT: warning iterator-open: 3 resources "connection" are open, the oldest for
 * EXPECT: thread waits for one of them
 * EXPECT: 3 resources "PostgreSQL result" were never released, opened in ask
 * EXPECT-JSON: finding("iterator-open") | .count == 3 and has_frame("opened"; "count_of"; {{line gets}}) and has_function("waits"; "pool_get") and has_thread({{tid counts}})
 */
#include <stdio.h>

#if __has_include(<libpq-fe.h>)
#include "lib/postgres_pool.h"

static int count_of(const char *what)
{
	PGconn *db = pool_get(); /* line: gets */
	PGresult *result = ask(db, what);
	if (PQresultStatus(result) != PGRES_TUPLES_OK)
		return -1;
	int count = atoi(PQgetvalue(result, 0, 0));
	PQclear(result);
	pool_put(db);
	return count;
}

int main(int argc, char **argv)
{
	if (argc < 3)
		return 2;
	pool_fill(argv);
	thread_start(counts, NULL);
	sleep_ms(4000);
	database_stop();
	return 0;
}
#else
int main(void)
{
	printf("no libpq-fe.h: apt-get install libpq-dev\n");
	return 77;
}
#endif
