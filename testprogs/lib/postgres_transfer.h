/*
 * Money is transferred by a transaction, and listed through a cursor, which needs one as well: whoever includes it defines
 * transfer() and list(), which leave early where there is nothing to do.
 */
#ifndef TESTPROGS_POSTGRES_TRANSFER_H
#define TESTPROGS_POSTGRES_TRANSFER_H

#include "lib/postgres_client.h"

static PGconn *transfers, *lists;

static bool transfer(PGconn *db, int from, int to, int amount);
static int list(PGconn *db, int most);

/* The result has to be cleared by whoever gets it. */
static PGresult *money_of(PGconn *db, int account)
{
	char command[100];
	snprintf(command, sizeof command, "SELECT money FROM accounts WHERE id = %d FOR UPDATE", account);
	return PQexec(db, command); /* line: asks */
}

static void add(PGconn *db, int account, int amount)
{
	char command[100];
	snprintf(command, sizeof command, "UPDATE accounts SET money = money + %d WHERE id = %d", amount,
		 account);
	run(db, command);
}

/* What a connection of the server's has open: transactions that are idle. */
static int idle_transactions(PGconn *db)
{
	PGresult *result =
	    PQexec(db, "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction'");
	int count = atoi(PQgetvalue(result, 0, 0));
	PQclear(result);
	return count;
}

static int transfer_main(char **argv)
{
	postgres_start(argv);
	transfers = connect_db();
	lists = connect_db();
	PGconn *other = connect_db();
	for (int i = 1; i < 10; i++)
		transfer(transfers, i, i + 1, 1);
	list(lists, 1000);
	/* Nothing is done, so nothing seems to be wrong; and the rows stay locked. */
	bool done = transfer(transfers, 200, 1, 5);
	list(lists, 5);
	sleep_ms(2500);
	printf("%d transactions are idle, %d\n", idle_transactions(other), done);
	PQfinish(other);
	return 0;
}

#endif
