/* What the programs with PostgreSQL's libpq have in common: a server of their own, and connections to it. */
#ifndef TESTPROGS_POSTGRES_CLIENT_H
#define TESTPROGS_POSTGRES_CLIENT_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/database.h"
#include "lib/show.h"

static int port;

static PGconn *connect_db(void)
{
	char text[200];
	snprintf(text, sizeof text, "host=127.0.0.1 port=%d user=tester dbname=postgres", port);
	PGconn *db = PQconnectdb(text);
	if (PQstatus(db) != CONNECTION_OK) {
		fprintf(stderr, "libpq: %s\n", PQerrorMessage(db));
		exit(1);
	}
	return db;
}

static void run(PGconn *db, const char *command)
{
	PGresult *result = PQexec(db, command);
	ExecStatusType status = PQresultStatus(result);
	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
		fprintf(stderr, "libpq: %s: %s\n", command, PQerrorMessage(db));
		exit(1);
	}
	PQclear(result);
}

/* With a table of accounts 1 to 100, 10 in each. */
static void postgres_start(char **argv)
{
	port = database_start(argv[1], "postgres", argv[2]);
	PGconn *db = connect_db();
	run(db, "CREATE TABLE accounts AS SELECT id, 10 AS money FROM generate_series(1, 100) AS id");
	PQfinish(db);
}

#endif
