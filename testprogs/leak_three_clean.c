/*
 * leak_three, put right: the chain is kept, the ring and the array are freed; and
 * what is kept is kept in every way that does not lose it: by its middle, by a static array, by another block.
 *
 * RUN: whoholds run %prog
 * TIMEOUT: 20
 * KINDS: none
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct link {
	struct link *next;
	char text[40];
};

struct node {
	char text[56];
	struct node *next;
};

static struct link *chain;
/* Else the compiler sees that nobody reads them, and leaves the stores out. */
static char *volatile middle;
static struct node *volatile ring;

static __attribute__((noinline)) struct node *make_ring(void)
{
	struct node *last = NULL, *first = NULL;
	for (int i = 0; i < 50; i++) {
		struct node *node = malloc(sizeof *node);
		node->next = last;
		last = node;
		if (!first)
			first = node;
	}
	first->next = last;
	return first;
}

int main(void)
{
	for (int i = 0; i < 100; i++) {
		struct link *link = malloc(sizeof *link);
		link->next = chain;
		chain = link;
	}
	struct node *lost = make_ring();
	for (int i = 0; i < 50; i++) {
		struct node *next = lost->next;
		free(lost);
		lost = next;
	}
	char *array = malloc(100000);
	memset(array, 'x', 100000);
	free(array);
	middle = (char *)malloc(100000) + 77777;
	ring = make_ring();
	puts("kept");
	return 0;
}
