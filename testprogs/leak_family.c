/*
 * Values that know their parent and their children, in a map. Some are dropped from the map alone: each keeps its family,
 * and its family keeps it.
 * Hard because: of what is lost everything is pointed to.
 *
 * RUN: whoholds run %prog
 * TIMEOUT: 20
 * KINDS: leak
 * EXPECT-JSON: [finding("leak")] | length == 1
 * EXPECT-JSON: finding("leak") | select(.cycle and .count == 4 * 10 and .indirect_bytes == 4 * 10 * 100) | has_frame("allocated"; "person_new"; {{line person}})
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/lose.h"

#define FAMILIES 12
#define CHILDREN 9

struct person {
	struct person *parent, *children[CHILDREN];
	char *name;
};

static struct person *map[FAMILIES];

static __attribute__((noinline)) struct person *person_new(struct person *parent)
{
	struct person *person = calloc(1, sizeof *person); /* line: person */
	person->parent = parent;
	person->name = malloc(100);
	memset(person->name, 'n', 100);
	return person;
}

static __attribute__((noinline)) void fill(void)
{
	for (int i = 0; i < FAMILIES; i++) {
		map[i] = person_new(NULL);
		for (int j = 0; j < CHILDREN; j++)
			map[i]->children[j] = person_new(map[i]);
	}
}

int main(void)
{
	fill();
	for (int i = 0; i < 4; i++)
		map[i * 3] = NULL;
	wipe_stack();
	printf("%s\n", map[1]->children[2]->parent->name);
	return 0;
}
