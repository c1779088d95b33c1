/*
 * The same with a function that gives back what it has got whatever the answer.
 *
 * BUILD: -I/usr/include/postgresql -lpq
 * RUN: whoholds run --set children=no --set held=1s --set blocked=1s %prog %src/shared/database-server %dir/db
 * TIMEOUT: 120
 * KINDS: none
 */
#include <stdio.h>

#if __has_include(<libpq-fe.h>)
#include "lib/postgres_pool.h"

static int count_of(const char *what)
{
	PGconn *db = pool_get();
	PGresult *result = ask(db, what);
	int count = PQresultStatus(result) == PGRES_TUPLES_OK ? atoi(PQgetvalue(result, 0, 0)) : -1;
	PQclear(result);
	pool_put(db);
	return count;
}

int main(int argc, char **argv)
{
	if (argc < 3)
		return 2;
	pool_fill(argv);
	pthread_t thread = thread_start(counts, NULL);
	counts(NULL);
	pthread_join(thread, NULL);
	while (pool.count)
		PQfinish(pool.free[--pool.count]);
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
