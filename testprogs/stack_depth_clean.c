/*
 * Threads that use four fifths of their stacks; one whose stack the program has provided, and used before; one
 * that faults its whole stack in, as programs do that may not wait for memory; one on the smallest stack there is; and
 * a main thread that goes deep, but not too deep.
 *
 * KINDS: none
 */
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "lib/show.h"

#define STACK_BYTES ((size_t)1024 * 1024)

static uintptr_t down(uintptr_t from, uintptr_t bytes)
{
	volatile char level[1000];

	memset((char *)level, 1, sizeof level);
	if (from - (uintptr_t)level > bytes)
		return from;
	return down(from, bytes) + (uintptr_t)level[17] - 1;
}

static void *uses_most(void *unused)
{
	char here;

	down((uintptr_t)&here, STACK_BYTES / 5 * 4);
	return unused;
}

static void *does_little(void *unused)
{
	return unused;
}

static void *faults_in(void *unused)
{
	volatile char zeros[STACK_BYTES - 64 * 1024];

	for (size_t i = 0; i < sizeof zeros; i += 512)
		zeros[i] = 0;
	return unused;
}

static void *uses_little_stack(void *unused)
{
	volatile char bytes[2048];

	memset((char *)bytes, 1, sizeof bytes);
	return unused;
}

static void run(void *(*routine)(void *), void *stack, size_t bytes)
{
	pthread_attr_t attributes;
	pthread_t thread;

	pthread_attr_init(&attributes);
	if (stack)
		pthread_attr_setstack(&attributes, stack, bytes);
	else
		pthread_attr_setstacksize(&attributes, bytes);
	if (pthread_create(&thread, &attributes, routine, NULL))
		exit(1);
	pthread_join(thread, NULL);
	pthread_attr_destroy(&attributes);
}

int main(void)
{
	struct rlimit limit;
	void *stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (stack == MAP_FAILED || getrlimit(RLIMIT_STACK, &limit))
		return 1;
	run(uses_most, NULL, STACK_BYTES);
	run(faults_in, NULL, STACK_BYTES);
	run(uses_most, stack, STACK_BYTES);
	memset(stack, 0xa5, STACK_BYTES);
	run(does_little, stack, STACK_BYTES);
	run(uses_little_stack, NULL, PTHREAD_STACK_MIN);
	run(uses_little_stack, NULL, 3 * PTHREAD_STACK_MIN);
	munmap(stack, STACK_BYTES);
	if (limit.rlim_cur != RLIM_INFINITY && limit.rlim_cur < (rlim_t)64 << 20)
		down((uintptr_t)&limit, limit.rlim_cur / 10 * 8);
	puts("done");
	return 0;
}
