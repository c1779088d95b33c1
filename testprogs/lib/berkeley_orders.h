/*
 * A table of orders in Berkeley DB, with transactions: a thread looks for an order that is overdue, and main changes one
 * meanwhile. look_up() is what the programs that include this differ in.
 */
#ifndef TESTPROGS_BERKELEY_ORDERS_H
#define TESTPROGS_BERKELEY_ORDERS_H

#include <db.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/show.h"

static DB_ENV *env;
static DB *orders;

static void must(int result)
{
	if (result == 0)
		return;
	fprintf(stderr, "berkeley_orders: %s\n", db_strerror(result));
	exit(2);
}

static int look_up(int number);

static DBT bytes_of(void *data, size_t size)
{
	DBT bytes;
	memset(&bytes, 0, sizeof bytes);
	bytes.data = data;
	bytes.size = (u_int32_t)size;
	return bytes;
}

static int put(DB_TXN *txn, int number, int amount)
{
	DBT key = bytes_of(&number, sizeof number), value = bytes_of(&amount, sizeof amount);
	return orders->put(orders, txn, &key, &value, 0);
}

static void *looks_up(void *unused)
{
	show_thread("looks-up");
	for (int i = 0; i < 5; i++)
		look_up(i);
	sleep_ms(2500);
	return unused;
}

/* Changes an order, if nobody stands in the way. */
static void change(void)
{
	DB_TXN *txn;
	must(env->txn_begin(env, NULL, &txn, DB_TXN_NOWAIT));
	int result = put(txn, 3, 300);
	printf(result == 0 ? "the order is changed\n" : "the change is turned away\n");
	must(result == 0 ? txn->commit(txn, 0) : txn->abort(txn));
}

static int berkeley_main(int argc, char **argv)
{
	if (argc != 2 || mkdir(argv[1], 0700) != 0)
		return 2;
	must(db_env_create(&env, 0));
	must(env->open(env, argv[1],
		       DB_CREATE | DB_PRIVATE | DB_THREAD | DB_INIT_MPOOL | DB_INIT_LOCK | DB_INIT_LOG |
			   DB_INIT_TXN,
		       0600));
	must(db_create(&orders, env, 0));
	must(orders->open(orders, NULL, "orders", NULL, DB_BTREE, DB_CREATE | DB_AUTO_COMMIT | DB_THREAD,
			  0600));
	for (int i = 0; i < 5; i++)
		must(put(NULL, i, i * 100));
	pthread_t thread = thread_start(looks_up, NULL);
	pthread_join(thread, NULL);
	change();
	return 0;
}

#endif
