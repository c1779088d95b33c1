/*
 * As in leak_family; but what leads to a family that is dropped from the map is one of its children, in another map.
 *
 * KINDS: none
 */
#include <stdio.h>
#include <stdlib.h>

#include "lib/lose.h"

#define FAMILIES 12
#define CHILDREN 9

struct person {
	struct person *parent, *children[CHILDREN];
	char *name;
};

static struct person *map[FAMILIES], *youngest[FAMILIES];

static __attribute__((noinline)) struct person *person_new(struct person *parent)
{
	struct person *person = calloc(1, sizeof *person);
	person->parent = parent;
	person->name = calloc(1, 100);
	return person;
}

static __attribute__((noinline)) void fill(void)
{
	for (int i = 0; i < FAMILIES; i++) {
		map[i] = person_new(NULL);
		for (int j = 0; j < CHILDREN; j++)
			youngest[i] = map[i]->children[j] = person_new(map[i]);
	}
}

int main(void)
{
	fill();
	for (int i = 0; i < 4; i++)
		map[i * 3] = NULL;
	wipe_stack();
	printf("%p\n", (void *)youngest[2]->parent);
	return 0;
}
