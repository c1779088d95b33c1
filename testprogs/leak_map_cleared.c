/*
 * A map of counted values is cleared while three workers hold some of them. A worker that is told to stop leaves its
 * loop without giving back the value that it holds: that one is nobody's, since the map is empty.
 *
 * RUN: whoholds run %prog
 * TIMEOUT: 30
 * KINDS: leak
 * EXPECT-JSON: [finding("leak")] | length == 1
 * EXPECT-JSON: finding("leak") | select(.count == 3 and .indirect_bytes == 3 * 500) | has_frame("allocated"; "value_new"; {{line lib/counted_map.c value}})
 */
#include "lib/counted_map.h"

int main(void)
{
	counted_map_story(false);
	return 0;
}
