/*
 * A library that is loaded and unloaded: the same function at the same place, with another frame in each build. Both
 * frames are large, so that the instructions are of the same length and return addresses the same.
 */
#include <string.h>

#include "shapes.h"

void plugin_call(visit_fn visit);

void plugin_call(visit_fn visit)
{
	volatile char room[FRAME];
	memset((char *)room, 1, sizeof room);
	visit();
	room[0] = 2;
}
