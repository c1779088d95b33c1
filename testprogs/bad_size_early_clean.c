/*
 * A library asks for too much before main, sees that it is refused, and the program ends well.
 * Guards: an exit status that nobody has seen, since the handler that sees it was asked for before the loader's own, and came after
 * it; it was taken for a bad end.
 *
 * RUN: whoholds run %prog
 * RUN: LD_PRELOAD=%lib %prog
 * BUILD: -lasker
 * KINDS: none
 */
#include "lib/check.h"
#include "shared/asker.h"

int main(void)
{
	CHECK(asker_refused());
	return 0;
}
