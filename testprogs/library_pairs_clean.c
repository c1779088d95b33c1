/*
 * The same with everything given back, every time.
 *
 * BUILD: -I/usr/include/glib-2.0 -I/usr/lib/x86_64-linux-gnu/glib-2.0/include -I/usr/include/libxml2 -I/usr/include/mariadb -lz -lbz2 -llzma -lzstd -lssl -lcrypto -lcurl -lsqlite3 -lxml2 -lglib-2.0 -lmariadb
 * RUN: whoholds run %prog
 * TIMEOUT: 60
 * KINDS: none
 */
#include "lib/library_pairs.h"

int main(void)
{
	for (size_t i = 0; i < sizeof plants / sizeof plants[0]; i++)
		for (int round = 0; round < 6; round++)
			plants[i].run(true);
	return 0;
}
