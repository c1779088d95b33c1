/*
 * The same with a search that closes its cursor and ends its transaction on every way out.
 *
 * BUILD: -ldb
 * RUN: whoholds run --set iterating=1s --set blocked=1h %prog %dir/env
 * TIMEOUT: 60
 * KINDS: none
 * EXPECT-STDOUT: the order is changed
 */
#include <stdio.h>

#if __has_include(<db.h>)
#include "lib/berkeley_orders.h"

static int look_up(int number)
{
	DB_TXN *txn;
	DBC *cursor;
	int order, amount;
	DBT key = bytes_of(&order, sizeof order), value = bytes_of(&amount, sizeof amount);
	key.flags = value.flags = DB_DBT_USERMEM;
	key.ulen = value.ulen = sizeof order;

	must(env->txn_begin(env, NULL, &txn, 0));
	must(orders->cursor(orders, txn, &cursor, 0));
	int found = 0;
	while (cursor->get(cursor, &key, &value, DB_NEXT) == 0)
		if (order == number && amount == 400)
			found = amount;
	must(cursor->close(cursor));
	must(txn->commit(txn, 0));
	return found;
}

int main(int argc, char **argv)
{
	return berkeley_main(argc, argv);
}
#else
int main(void)
{
	printf("no db.h: apt-get install libdb-dev\n");
	return 77;
}
#endif
