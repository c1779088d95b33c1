/*
 * The same is known, and suppressed by the function that all ways lead through: also what is told together.
 *
 * RUN: whoholds run --suppressions=%src/shared/many_ways.supp %prog
 * TIMEOUT: 120
 * KINDS: none
 */
#include "lib/many_ways.h"

int main(void)
{
	lose_by_many_ways();
	return 0;
}
