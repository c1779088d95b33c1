/*
 * As in leak_dirty_copy, and every writer works on the dirty copy that is there.
 *
 * KINDS: none
 */
#include "lib/dirty_map.h"

int main(void)
{
	dirty_map_story(false);
	return 0;
}
