/*
 * The same with functions that clear every result and end every transaction, also one that has failed, and one that is ended by a
 * later command of the same string.
 *
 * BUILD: -I/usr/include/postgresql -lpq
 * RUN: whoholds run --set children=no --set iterating=1s %prog %src/shared/database-server %dir/db
 * TIMEOUT: 120
 * KINDS: none
 * EXPECT-STDOUT: 0 transactions are idle, 0
 */
#include <stdio.h>

#if __has_include(<libpq-fe.h>)
#include "lib/postgres_transfer.h"

static bool transfer(PGconn *db, int from, int to, int amount)
{
	run(db, "BEGIN");
	PGresult *money = money_of(db, from);
	bool known = PQntuples(money) > 0;
	PQclear(money);
	if (known) {
		add(db, from, -amount);
		add(db, to, amount);
	}
	run(db, known ? "COMMIT" : "ROLLBACK");
	/* Fails, and ends where that is seen. */
	run(db, "BEGIN");
	PQclear(PQexec(db, "SELECT 1 / 0"));
	run(db, "ROLLBACK");
	run(db, "BEGIN; SELECT 1; COMMIT");
	/* What is asked for in pieces. */
	if (PQsendQuery(db, "BEGIN; SELECT id FROM accounts; END") != 1)
		exit(1);
	for (PGresult *result; (result = PQgetResult(db));)
		PQclear(result);
	/* Its transaction ends with it. */
	PGconn *second = connect_db();
	run(second, "BEGIN");
	PQfinish(second);
	return known;
}

static int list(PGconn *db, int most)
{
	int listed = 0, got;
	run(db, "BEGIN");
	run(db, "DECLARE all_of_them CURSOR FOR SELECT id FROM accounts");
	do {
		PGresult *result = PQexec(db, "FETCH 10 FROM all_of_them");
		got = PQntuples(result);
		listed += got;
		PQclear(result);
	} while (got && listed < most);
	run(db, "COMMIT");
	return listed;
}

int main(int argc, char **argv)
{
	int result = argc < 3 ? 2 : transfer_main(argv);
	PQfinish(transfers);
	PQfinish(lists);
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
