/*
 * The same with all of it given back.
 *
 * RUN: whoholds run %prog
 * KINDS: none
 * EXPECT-STDOUT: open since the mark: 0
 */
#include "lib/kept_open.h"

#include "whoholds.h"

int main(void)
{
	wh_mark mark = wh_now();
	int failed = 0;
	for (int i = 0; i < 3; i++)
		failed |= makes_all() | gives_all_back();
	printf("open since the mark: %d\n", wh_open_since(mark));
	return failed != 0;
}
