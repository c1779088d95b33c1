/*
 * An object of a slab is given back by two of its users.
 * Hard because: its memory is the slab's all the time, and nothing that malloc knows of.
 *
 * RUN: whoholds run %prog
 * KINDS: double-free
 * EXPECT: memory from slab_take was freed twice, the second time in slab_give
 * EXPECT-JSON: finding("double-free") | .count == 1 and has_frame("allocated"; "open_one"; {{line open}}) and has_frame("freed"; "close_reader"; {{line reader}}) and has_frame("freed-again"; "close_writer"; {{line writer}})
 */
#include <stdlib.h>

#include "lib/slab.h"

static struct slab slab;

static __attribute__((noinline)) void *open_one(void)
{
	void *one = slab_take(&slab); /* line: open */
	__asm__ volatile("" : "+r"(one));
	return one;
}

static __attribute__((noinline)) void close_reader(void *one)
{
	slab_give(&slab, one); /* line: reader */
	__asm__ volatile("");
}

static __attribute__((noinline)) void close_writer(void *one)
{
	slab_give(&slab, one); /* line: writer */
	__asm__ volatile("");
}

int main(void)
{
	void *memory = malloc(4096);
	slab_fill(&slab, memory, 4096, 96);
	void *one = open_one();
	close_reader(one);
	close_writer(one);
	free(memory);
	return 0;
}
