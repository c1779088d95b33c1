/* A fixture: before each test a world with some threads in it, which wait for nothing. */
#ifndef TEST_WORLD_THREADS_H
#define TEST_WORLD_THREADS_H

#include "world.h"

static struct world *world;
static struct snap_thread *t[8];

static void setup(void)
{
	world = world_make();
	for (size_t i = 0; i < COUNT_OF(t); i++)
		t[i] = world_thread(world);
}

static void teardown(void)
{
	world_free(world);
}

#endif
