/*
 * The same with elements that are freed when they are taken out. The others stay until the end, and nothing but distances leads to them.
 *
 * RUN: whoholds run %prog
 * KINDS: none
 */
#include "lib/distances.h"
#include "lib/lose.h"

static void forget_some(void)
{
	for (int i = 0; i < 3; i++) {
		struct order *taken = take_behind(first_order());
		free(taken->text);
		free(taken);
	}
}

int main(void)
{
	fill_orders();
	forget_some();
	wipe_stack();
	return 0;
}
