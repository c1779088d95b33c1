/*
 * Elements of a list whose links are distances are taken out, and forgotten. Nothing in memory has the address of any element; those that are
 * still in the list are not lost.
 * Hard because: what was taken out still says where it was, and the word there leads to somebody else now.
 *
 * RUN: whoholds run %prog
 * KINDS: leak
 * EXPECT-JSON: finding("leak") | .count == 3 and has_function("allocated"; "add_order")
 */
#include "lib/distances.h"
#include "lib/lose.h"

static void forget_some(void)
{
	for (int i = 0; i < 3; i++)
		take_behind(first_order());
}

int main(void)
{
	fill_orders();
	forget_some();
	wipe_stack();
	return 0;
}
