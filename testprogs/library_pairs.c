/*
 * Each line about a library is tried on the library, where it is there: what is opened is given back five times, and lost once.
 * Hard because: nothing is configured and nothing was rebuilt; that a stream's state is lost shows
 * in the stream, which was a variable of a function that has returned. (libc is asked to overwrite what is freed: old pointers
 * in new blocks would keep something alive by chance.)
 *
 * BUILD: -I/usr/include/glib-2.0 -I/usr/lib/x86_64-linux-gnu/glib-2.0/include -I/usr/include/libxml2 -I/usr/include/mariadb -lz -lbz2 -llzma -lzstd -lssl -lcrypto -lcurl -lsqlite3 -lxml2 -lglib-2.0 -lmariadb
 * RUN: GLIBC_TUNABLES=glibc.malloc.perturb=85:glibc.malloc.tcache_count=0 whoholds run %prog
 * TIMEOUT: 60
 * KINDS: iterator-leak leak?
 * EXPECT: never released, opened in libc_regex
 * EXPECT-JSON: ("{{text planted}}" | gsub("_"; " ") | split(",")) - [finding("iterator-leak") | objects | .name] == []
 * EXPECT-JSON: [finding("iterator-leak") | .count] | unique == [1]
 */
#include "lib/library_pairs.h"

#include "lib/lose.h"

static void show_planted(void)
{
	printf("text planted ");
	for (size_t i = 0; i < sizeof plants / sizeof plants[0]; i++) {
		for (const char *at = plants[i].names; *at; at++)
			putchar(*at == ' ' ? '_' : *at);
		if (plants[i].names[0])
			putchar(',');
	}
	/* The list ends in one that is always there. */
	printf("character_conversion\n");
}

int main(void)
{
	show_planted();
	for (size_t i = 0; i < sizeof plants / sizeof plants[0]; i++) {
		for (int round = 0; round < 5; round++)
			plants[i].run(true);
		plants[i].run(false);
		wipe_stack();
	}
	return 0;
}
