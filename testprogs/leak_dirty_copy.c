/*
 * A map is read from a copy that never changes; who writes makes a dirty copy, to be merged back by the next writer. One
 * writer makes a copy of its own where there is a dirty one already: that is never merged, and lost with its entries.
 *
 * RUN: whoholds run %prog
 * TIMEOUT: 20
 * KINDS: leak
 * EXPECT-JSON: [finding("leak")] | length == 1
 * EXPECT-JSON: finding("leak") | select(.count == 1 and .indirect_bytes == 30 * 24) | has_frame("allocated"; "copy_new"; {{line lib/dirty_map.c copy}})
 */
#include "lib/dirty_map.h"

int main(void)
{
	dirty_map_story(true);
	return 0;
}
