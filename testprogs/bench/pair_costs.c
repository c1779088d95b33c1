/*
 * What following pairs costs what is opened and closed, ten frames down. Run by scripts/bench.
 *
 *   pair_costs counter [COUNT [SETTLE]]     a library that a config file names (shared/counters.conf): take, give
 *   pair_costs beside [COUNT [SETTLE]]      a function of the same library that no pair names, while one is taken
 *   pair_costs stream [COUNT [SETTLE]]      fmemopen, fclose
 *   pair_costs directory [COUNT [SETTLE]]   opendir, closedir
 *   pair_costs statement [COUNT [SETTLE]]   SQLite: step to a row, reset
 *   pair_costs descriptor [COUNT [SETTLE]]  eventfd, close
 *
 * Prints "ns", of CPU time, a pair. SETTLE: as for lock_pairs.
 *
 * BUILD: -lcounters -lsqlite3
 */
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#if __has_include(<sqlite3.h>)
#include <sqlite3.h>
#endif

#include "bench/bench.h"
#include "shared/counters.h"

static void fail(const char *what)
{
	fprintf(stderr, "pair_costs: %s failed\n", what);
	exit(1);
}

static void counters(long count)
{
	for (long i = 0; i < count; i++)
		counter_give(counter_take());
}

static void beside(long count)
{
	struct counter *counter = counter_take();
	int sum = 0;

	for (long i = 0; counter && i < count; i++)
		sum += counter_look(counter);
	counter_give(counter);
	if (sum < 0)
		fail("counter_look");
}

static void streams(long count)
{
	static char buffer[16];

	for (long i = 0; i < count; i++) {
		FILE *stream = fmemopen(buffer, sizeof buffer, "r");

		if (!stream)
			fail("fmemopen");
		fclose(stream);
	}
}

static void directories(long count)
{
	for (long i = 0; i < count; i++) {
		DIR *directory = opendir("/");

		if (!directory)
			fail("opendir");
		closedir(directory);
	}
}

#if __has_include(<sqlite3.h>)
static void statements(long count)
{
	sqlite3 *database;
	sqlite3_stmt *statement;

	if (sqlite3_open(":memory:", &database) ||
	    sqlite3_prepare_v2(database, "SELECT 1", -1, &statement, NULL))
		fail("sqlite3_prepare");
	for (long i = 0; i < count; i++) {
		if (sqlite3_step(statement) != SQLITE_ROW)
			fail("sqlite3_step");
		sqlite3_reset(statement);
	}
	sqlite3_finalize(statement);
	sqlite3_close(database);
}
#else
static void statements(long count)
{
	(void)count;
	fail("sqlite3.h was not there:");
}
#endif

static void descriptors(long count)
{
	for (long i = 0; i < count; i++) {
		int fd = eventfd(0, EFD_CLOEXEC);

		if (fd < 0)
			fail("eventfd");
		close(fd);
	}
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*pairs)(long);
	} modes[] = {
		{ "counter", counters },      { "beside", beside },        { "stream", streams },
		{ "directory", directories }, { "statement", statements }, { "descriptor", descriptors }
	};
	const char *mode = argc > 1 ? argv[1] : "";
	long count = number_argument(argc, argv, 2, 1000000);

	for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
		if (strcmp(mode, modes[i].name) == 0) {
			double begin;

			settle(modes[i].pairs, number_argument(argc, argv, 3, 0));
			begin = cpu_ns();
			down(10, modes[i].pairs, count);
			printf("ns %.2f\n", (cpu_ns() - begin) / (double)count);
			return 0;
		}
	fprintf(stderr,
		"usage: pair_costs counter|beside|stream|directory|statement|descriptor [COUNT [SETTLE]]\n");
	return 2;
}
