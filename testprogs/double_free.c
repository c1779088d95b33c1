/*
 * Two owners give the same buffer back. Between the two the allocator has other work, so that it is not the last
 * block that it got; and the process dies of it, so that nothing can be judged at its end.
 *
 * RUN: whoholds run %prog
 * RUN: LD_PRELOAD=%lib %prog
 * KINDS: double-free
 * EXPECT: memory from buffer_new was freed twice, the second time in close_input
 * EXPECT-STATUS: 134
 * EXPECT-JSON: finding("double-free") | has_frame("allocated"; "buffer_new"; {{line lib/two_owners.h new}}) and has_frame("freed"; "close_output"; {{line lib/two_owners.h first}}) and has_frame("freed-again"; "close_input"; {{line lib/two_owners.h again}})
 * LEAVES: recordings
 */
#define TAKE malloc
#define GIVE free
#define GIVE_AGAIN free
#include "lib/two_owners.h"
