/*
 * Three leaks of known size: a chain whose head is lost, a ring, and an array.
 * Hard because: every block of the chain but the first, and every block of the ring, is pointed to.
 *
 * RUN: whoholds run %prog
 * TIMEOUT: 20
 * KINDS: leak
 * EXPECT-JSON: [finding("leak")] | length == 3
 * EXPECT-JSON: finding("leak") | select(.bytes == 48 and .count == 1 and .indirect_bytes == 99 * 48 and .cycle == false) | has_frame("allocated"; "lose_chain"; {{line chain}})
 * EXPECT-JSON: finding("leak") | select(.bytes == 50 * 64 and .count == 50 and .indirect_bytes == 0 and .cycle) | has_frame("allocated"; "lose_ring"; {{line ring}})
 * EXPECT-JSON: finding("leak") | select(.bytes == 100000 and .count == 1 and .indirect_bytes == 0 and .cycle == false) | has_frame("allocated"; "lose_array"; {{line array}})
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/lose.h"

struct link {
	struct link *next;
	char text[40];
};

struct node {
	char text[56];
	struct node *next;
};

/* What the compiler would else see to be of no use, and leave out. */
static void *volatile seen;

static __attribute__((noinline)) void lose_chain(void)
{
	struct link *head = NULL;
	for (int i = 0; i < 100; i++) {
		struct link *link = malloc(sizeof *link); /* line: chain */
		link->next = head;
		head = link;
	}
	seen = head;
	seen = NULL;
}

static __attribute__((noinline)) void lose_ring(void)
{
	struct node *last = NULL, *first = NULL;
	for (int i = 0; i < 50; i++) {
		struct node *node = malloc(sizeof *node); /* line: ring */
		node->next = last;
		last = node;
		if (!first)
			first = node;
	}
	first->next = last;
	seen = first;
	seen = NULL;
}

static __attribute__((noinline)) void lose_array(void)
{
	volatile char *array = malloc(100000); /* line: array */
	array[5000] = 'x';
}

/* What was on the stack is not what keeps them. */
int main(void)
{
	lose_chain();
	lose_ring();
	lose_array();
	wipe_stack();
	puts("lost");
	return 0;
}
