/*
 * Slabs of the program's own as they are meant to be: what they hand out is reached through globals, through each other's objects, through
 * what malloc's blocks hold, or by pointers to the middle; given back, one by one or all at once; slabs in objects of slabs; and slabs
 * whose memory goes, or is resized, while objects are out.
 *
 * RUN: whoholds run %prog
 * TIMEOUT: 20
 * KINDS: none
 * EXPECT-STDOUT: lost 0
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/check.h"
#include "lib/lose.h"
#include "lib/slab.h"

#define EACH 64
#define BYTES ((size_t)4096)

struct node {
	char *name; /* malloc's */
	struct node *next;
	char text[40];
};

static char array[BYTES] __attribute__((aligned(16)));
static struct slab of_malloc, of_array, of_map, inner;
static struct node *list, **table;
static char *middle;

static void name_node(struct node *node)
{
	node->name = malloc(100);
	memset(node->name, 'n', 100);
}

/* A list that goes from one slab to another; nothing but its head is outside. */
static __attribute__((noinline)) void chain(void)
{
	for (int i = 0; i < 32; i++) {
		struct node *node = slab_take(i % 2 ? &of_malloc : &of_array);
		name_node(node);
		node->next = list;
		list = node;
	}
}

/* Known to a block of malloc's, and by its middle. */
static __attribute__((noinline)) void point(void)
{
	table = malloc(4 * sizeof *table);
	for (int i = 0; i < 4; i++) {
		table[i] = slab_take(&of_map);
		name_node(table[i]);
	}
	struct node *node = slab_take(&of_map);
	name_node(node);
	middle = node->text;
}

/* The pool itself is known by its first object alone. */
static void *hidden_pool;

static __attribute__((noinline)) void hide(void)
{
	struct slab slab;
	char *memory = malloc(BYTES);
	slab_fill(&slab, memory + 16, BYTES - 16, EACH);
	struct node *node = slab_take(&slab);
	name_node(node);
	hidden_pool = node;
}

static __attribute__((noinline)) void nest(void)
{
	struct slab outer;
	slab_fill(&outer, malloc(BYTES), BYTES, 1024);
	table = realloc(table, 5 * sizeof *table);
	table[4] = slab_take(&outer);
	slab_fill(&inner, table[4], 1024, EACH);
	struct node *node = slab_take(&inner);
	name_node(node);
	node->next = list->next;
	list->next = node;
}

/* Given back in each way; what was freed is handed out again. */
static __attribute__((noinline)) void turn_over(void)
{
	struct slab slab;
	slab_fill(&slab, malloc(BYTES), BYTES, EACH);
	for (int round = 0; round < 100; round++) {
		void *some[8];
		for (int i = 0; i < 8; i++)
			some[i] = slab_take(&slab);
		for (int i = 0; i < 8; i++)
			slab_give(&slab, some[(i * 3 + round) % 8]);
	}
	for (int i = 0; i < 8; i++)
		slab_take(&slab);
	slab_empty(&slab);
	for (int i = 0; i < 8; i++)
		slab_take(&slab);
	free(slab.memory); /* with all that is out */

	slab_fill(&slab, malloc(BYTES), BYTES, EACH);
	slab_take(&slab);
	char *moved = realloc(slab.memory, 100 * BYTES);
	moved = realloc(moved, 2 * BYTES);
	free(moved);

	slab_fill(&slab, mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), BYTES,
		  EACH);
	slab_take(&slab);
	munmap(slab.memory, BYTES);
}

/* A stack of things, each as long as it is, emptied by nobody: what is handed out ends what was there. */
static __attribute__((noinline)) void bump(void)
{
	static char area[BYTES] __attribute__((aligned(16)));
	for (int round = 0; round < 3; round++)
		for (size_t at = 0; at + 100 <= sizeof area; at += 32 + (size_t)round * 16)
			wh_pool_alloc(area + at, 24);
	wh_pool_reset(area, sizeof area);
}

int main(void)
{
	wh_mark mark = wh_now();
	slab_fill(&of_malloc, malloc(BYTES), BYTES, EACH);
	slab_fill(&of_array, array, BYTES, EACH);
	slab_fill(&of_map, mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
		  BYTES, EACH);
	chain();
	point();
	hide();
	nest();
	turn_over();
	bump();
	wipe_stack();
	printf("lost %zu\n", wh_lost_bytes_since(mark));
	fflush(stdout);
	wipe_stack();
	CHECK(list && middle && hidden_pool);
	return 0;
}
