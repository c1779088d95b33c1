/*
 * A function returns early where there is no such account, and another where it has listed enough: a result is not
 * cleared, and two transactions stay open, one of them with a cursor in it. Rows stay locked, and nothing old can be vacuumed.
 * Hard because: every call succeeds, and that a command has begun a transaction is in its text.
 *
 * BUILD: -I/usr/include/postgresql -lpq
 * RUN: whoholds run --set children=no --set iterating=1s %prog %src/shared/database-server %dir/db
 * TIMEOUT: 120
 * KINDS: iterator-open iterator-leak
 * EXPECT: has had transaction "PostgreSQL" open for
 * EXPECT: resource "PostgreSQL result" was never released, opened in money_of
 * EXPECT-STDOUT: 2 transactions are idle, 0
 * EXPECT-JSON: finding("iterator-open") | has_frame("opened"; "transfer"; {{line begins}})
 * EXPECT-JSON: finding("iterator-open") | has_frame("opened"; "list"; {{line lists}})
 * EXPECT-JSON: finding("iterator-leak") | .count == 1 and has_frame("opened"; "transfer"; {{line begins}})
 * EXPECT-JSON: finding("iterator-leak") | .count == 1 and has_frame("opened"; "money_of"; {{line postgres_transfer.h asks}})
 */
#include <stdio.h>

#if __has_include(<libpq-fe.h>)
#include "lib/postgres_transfer.h"

static bool transfer(PGconn *db, int from, int to, int amount)
{
	run(db, "BEGIN"); /* line: begins */
	PGresult *money = money_of(db, from);
	if (PQntuples(money) == 0)
		return false;
	PQclear(money);
	add(db, from, -amount);
	add(db, to, amount);
	run(db, "COMMIT");
	return true;
}

static int list(PGconn *db, int most)
{
	int listed = 0, got;
	run(db, "BEGIN"); /* line: lists */
	run(db, "DECLARE all_of_them CURSOR FOR SELECT id FROM accounts");
	do {
		PGresult *result = PQexec(db, "FETCH 10 FROM all_of_them");
		got = PQntuples(result);
		listed += got;
		PQclear(result);
		if (listed >= most)
			return listed;
	} while (got);
	run(db, "COMMIT");
	return listed;
}

int main(int argc, char **argv)
{
	int result = argc < 3 ? 2 : transfer_main(argv);
	database_stop();
	return result;
}
#else
int main(void)
{
	printf("no libpq-fe.h: apt-get install libpq-dev\n");
	return 77;
}
#endif
