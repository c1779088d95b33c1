/*
 * A search in Berkeley DB returns as soon as it has what it wants, and leaves its cursor and its transaction open: the page that
 * it has read stays locked, and whoever wants to change anything there is turned away.
 * Hard because: a program calls pointers in the library's handles, of which no word of its own knows.
 *
 * BUILD: -ldb
 * RUN: whoholds run --set iterating=1s --set blocked=1h %prog %dir/env
 * TIMEOUT: 60
 * KINDS: iterator-open iterator-leak
 * EXPECT: "looks-up" has had cursor "Berkeley DB" open for
 * EXPECT-STDOUT: the change is turned away
 * EXPECT-JSON: finding("iterator-open") | has_frame("opened"; "look_up"; {{line cursor}}) and has_thread({{tid looks-up}})
 * EXPECT-JSON: finding("iterator-leak") | .count == 1 and has_frame("opened"; "look_up"; {{line cursor}})
 * EXPECT-JSON: finding("iterator-leak") | .count == 1 and has_frame("opened"; "look_up"; {{line begins}})
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

	must(env->txn_begin(env, NULL, &txn, 0));      /* line: begins */
	must(orders->cursor(orders, txn, &cursor, 0)); /* line: cursor */
	while (cursor->get(cursor, &key, &value, DB_NEXT) == 0)
		if (order == number && amount == 400)
			return amount;
	must(cursor->close(cursor));
	must(txn->commit(txn, 0));
	return 0;
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
