/*
 * Things that a config file knows are left open by an early return; others are closed, or were never opened.
 * Hard because: nothing was rebuilt, the library is in no table, and one close is refused.
 *
 * RUN: whoholds run --config=%src/shared/things.conf %prog
 * BUILD: -lthings
 * KINDS: iterator-leak
 * TWIN: bound_shapes_clean
 * EXPECT: 3 iterators "thing" were never closed, opened in scan
 * EXPECT: iterator "thing"
 * EXPECT: resource "seat" was never released, opened in main
 * EXPECT-NOT: slot
 * EXPECT-JSON: finding("iterator-leak") | .count == 3 and has_frame("opened"; "scan"; {{line early}})
 * EXPECT-JSON: finding("iterator-leak") | .count == 1 and has_frame("opened"; "refused"; {{line refused}})
 * EXPECT-JSON: finding("iterator-leak") | .count == 1 and has_frame("opened"; "many"; {{line many}})
 * EXPECT-JSON: .reports[-1].coverage.unbound | split(", ") | index("thing_open_wide") and (index("thing_open") | not)
 * EXPECT-JSON: [.findings[] | select(.kind == "iterator-leak")] | length == 4
 */
#include <stdio.h>

#include "shared/things.h"

static int scan(int wanted)
{
	struct thing *thing = thing_open("scan"); /* line: early */
	if (wanted % 2)
		return -1;
	thing_close(thing);
	return 0;
}

static void refused(void)
{
	struct thing *thing = thing_open("locked"); /* line: refused */
	thing_lock(thing, 1);
	thing_close(thing);
}

static void many(void)
{
	struct thing *thing = NULL;
	thing_open_many(NULL, &thing, 1, 2, 3, 4, 5, 6.0, 7, 8, 9.0, 44);
	thing_open_many(NULL, &thing, 1, 2, 3, 4, 5, 6.0, 7, 8, 9.0, 45); /* line: many */
}

int main(void)
{
	for (int i = 0; i < 6; i++)
		scan(i);
	refused();
	many();
	slot_give(slot_take());
	int first = seat_take();
	seat_take();
	seat_give(first);
	return things_open == 5 ? 0 : 1;
}
