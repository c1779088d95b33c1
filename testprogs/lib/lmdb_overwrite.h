/*
 * Values in an LMDB file are overwritten, over and over, while a thread looks some of them up: whoever includes it defines look_up().
 */
#ifndef TESTPROGS_LMDB_OVERWRITE_H
#define TESTPROGS_LMDB_OVERWRITE_H

#include <lmdb.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "lib/show.h"

static void must(int result)
{
	if (result == MDB_SUCCESS)
		return;
	fprintf(stderr, "lmdb: %s\n", mdb_strerror(result));
	exit(1);
}

static MDB_env *env;
static MDB_dbi dbi;

static void put(int round)
{
	MDB_txn *txn;
	char text[2000] = "";
	MDB_val key = { sizeof round, &(int){ round % 50 } }, value = { sizeof text, text };

	must(mdb_txn_begin(env, NULL, 0, &txn));
	must(mdb_put(txn, dbi, &key, &value, 0));
	must(mdb_txn_commit(txn));
}

static int look_up(int number);

static void *reader(void *unused)
{
	show_thread("reader");
	for (int number = 0; number < 50; number++)
		look_up(number);
	look_up(1000);
	sleep_ms(2500);
	return unused;
}

static long used_pages(void)
{
	MDB_envinfo info;

	mdb_env_info(env, &info);
	return (long)info.me_last_pgno;
}

static int lmdb_main(int argc, char **argv)
{
	MDB_txn *txn;

	if (argc < 2)
		return 2;
	mkdir(argv[1], 0777);
	must(mdb_env_create(&env));
	must(mdb_env_set_mapsize(env, 256 << 20));
	must(mdb_env_open(env, argv[1], MDB_NOSYNC, 0666));
	must(mdb_txn_begin(env, NULL, 0, &txn));
	must(mdb_dbi_open(txn, NULL, 0, &dbi));
	must(mdb_txn_commit(txn));
	for (int round = 0; round < 200; round++)
		put(round);
	long before = used_pages();
	pthread_t thread = thread_start(reader, NULL);
	sleep_ms(200);
	for (int round = 0; round < 200; round++) {
		put(round);
		sleep_ms(10);
	}
	long after = used_pages();
	printf("%ld pages, then %ld: %s\n", before, after,
	       after > before + 100 ? "the file grows" : "the file stays");
	pthread_join(thread, NULL);
	mdb_env_close(env);
	return 0;
}

#endif
