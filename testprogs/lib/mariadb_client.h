/* mariadb_results.c and its clean twin, which say whether what is left early is given back (GIVES_BACK). */
#ifndef TESTPROGS_MARIADB_CLIENT_H
#define TESTPROGS_MARIADB_CLIENT_H

#include <stdio.h>

#if __has_include(<mysql.h>)
#include <mysql.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/database.h"
#include "lib/lose.h"

static void must(MYSQL *db, int result)
{
	if (result == 0)
		return;
	fprintf(stderr, "mariadb: %s\n", mysql_error(db));
	exit(1);
}

/* The first row of an answer, as a number. */
static int first_of(MYSQL *db, const char *query, bool gives_back)
{
	must(db, mysql_query(db, query));
	MYSQL_RES *result = mysql_use_result(db); /* line: uses */
	MYSQL_ROW row = mysql_fetch_row(result);
	int number = row ? atoi(row[0]) : -1;
	if (gives_back)
		mysql_free_result(result);
	return number;
}

static void prepared(MYSQL *db, const char *query, bool gives_back)
{
	MYSQL_STMT *statement = mysql_stmt_init(db); /* line: prepares */
	must(db, mysql_stmt_prepare(statement, query, strlen(query)));
	if (gives_back)
		mysql_stmt_close(statement);
}

static MYSQL *connect_db(int port)
{
	MYSQL *db = mysql_init(NULL);
	if (!mysql_real_connect(db, "127.0.0.1", "root", NULL, NULL, (unsigned)port, NULL, 0))
		must(db, 1);
	return db;
}

int main(int argc, char **argv)
{
	if (argc < 3)
		return 2;
	int port = database_start(argv[1], "mariadb", argv[2]);
	MYSQL *db = connect_db(port), *second = connect_db(port);
	for (int i = 0; i < 5; i++)
		if (first_of(db, "SELECT 7 UNION SELECT 8", true) != 7)
			return 1;
	first_of(db, "SELECT 7 UNION SELECT 8", GIVES_BACK);
	for (int i = 0; i < 4; i++)
		prepared(second, "SELECT 1", GIVES_BACK || i % 2);
	printf("second command: %s\n", mysql_query(db, "DO 1") == 0 ? "fine" : mysql_error(db));
	mysql_close(db);
	mysql_close(second);
	wipe_stack();
	mysql_library_end();
	database_stop();
	return 0;
}
#else
int main(void)
{
	printf("no mysql.h: apt-get install libmariadb-dev\n");
	return 77;
}
#endif
#endif
