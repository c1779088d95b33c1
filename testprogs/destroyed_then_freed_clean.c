/*
 * destroyed_then_freed, put right: the locks are given back before they are destroyed.
 *
 * RUN: whoholds run %prog
 * TIMEOUT: 20
 * KINDS: none
 */
#include "lib/three_locks.h"

int main(void)
{
	for (int i = 0; i < 3; i++)
		three_locks_end(three_locks_new(), false);
	return 0;
}
