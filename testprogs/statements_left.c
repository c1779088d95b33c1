/*
 * A server of three threads whose requests leave every other statement stepped and never reset, and which then has nothing to do.
 * Hard because: eighteen reports of one line tell nobody anything. What matters is how many there are, since when, and which place
 * opens them; that is what dump says of a server that runs, and what the finding says of each thread.
 *
 * RUN: whoholds run --set blocked=1s %prog
 * BUILD: -lsqlite3
 * HANGS: yes
 * KINDS: stuck-holder
 * EXPECT: holds 6 statements "SQLite"
 * EXPECT: holds 6 statements "SQLite", the oldest of them opened in
 * EXPECT-DUMP: 18 statements "SQLite" open, the oldest
 * EXPECT-DUMP: 18 reset before: P50
 * EXPECT-DUMP: holds 6 statements "SQLite", opened in one place; the oldest
 * EXPECT-DUMP: 18 resources "SQLite statement" open, the oldest
 * EXPECT-JSON: finding("stuck-holder") | has_frame("opened"; "answer"; {{line steps}}) and (.stacks | map(select(.role == "opened")) | length == 6)
 * TWIN: sqlite_cursor_clean
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#if __has_include(<sqlite3.h>)
#include <sqlite3.h>

static sqlite3 *database;

/* An early return for every other one. */
static void answer(int request)
{
	sqlite3_stmt *rows;

	if (sqlite3_prepare_v2(database, "SELECT x FROM t", -1, &rows, NULL))
		exit(1);
	sqlite3_step(rows); /* line: steps */
	if (request % 2)
		return;
	sqlite3_finalize(rows);
}

static void *serve(void *unused)
{
	for (int request = 0; request < 12; request++)
		answer(request);
	pause();
	return unused;
}

int main(void)
{
	pthread_t threads[3];

	if (sqlite3_open(":memory:", &database) ||
	    sqlite3_exec(database, "CREATE TABLE t(x); INSERT INTO t VALUES(1), (2), (3)", NULL, NULL, NULL))
		return 1;
	for (int i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, serve, NULL);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	return 0;
}
#else
int main(void)
{
	printf("sqlite3.h was not there when this was built\n");
	return 77;
}
#endif
