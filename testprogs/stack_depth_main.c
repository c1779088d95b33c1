/*
 * The main thread uses nearly all that the limit on its stack allows, in a sort that goes one level down for each
 * element where they are in order already.
 *
 * Hard because that stack has no fixed size: the kernel lets it grow up to the limit.
 *
 * TWIN: stack_depth_clean
 * RUN: whoholds run sh -c "ulimit -S -s 2048; exec %prog"
 * KINDS: stack-depth
 * EXPECT: warning stack-depth: thread 1 "main" has used
 * EXPECT: of its 2 MiB of stack (9
 * EXPECT-JSON: finding("stack-depth") | has_frame("deepest"; "sort"; {{line goes down}})
 */
#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>

#include "lib/show.h"

static uintptr_t first, enough;

static int sort(int *from, int *to)
{
	volatile int pivot[100] = { *from };

	if (first - (uintptr_t)pivot > enough || from == to)
		return pivot[0];
	return sort(from + 1, to) + pivot[1]; /* line: goes down */
}

int main(void)
{
	static int elements[100000];
	struct rlimit limit;

	if (getrlimit(RLIMIT_STACK, &limit) || limit.rlim_cur == RLIM_INFINITY)
		return 1;
	first = (uintptr_t)__builtin_frame_address(0);
	enough = limit.rlim_cur / 100 * 94;
	printf("%d\n", sort(elements, elements + 100000));
	return 0;
}
