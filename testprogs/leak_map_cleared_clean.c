/*
 * As in leak_map_cleared, but who stops gives its value back: the last to hold it frees it, after the map has gone.
 *
 * KINDS: none
 * TIMEOUT: 30
 */
#include "lib/counted_map.h"

int main(void)
{
	counted_map_story(true);
	return 0;
}
