/*
 * Blocks of jemalloc's that are lost while their addresses lie in its thread cache still, below the top: each of them is told.
 *
 * RUN: LD_PRELOAD=/usr/lib/x86_64-linux-gnu/libjemalloc.so.2 whoholds run %prog
 * NEEDS: /usr/lib/x86_64-linux-gnu/libjemalloc.so.2
 * KINDS: leak
 * EXPECT: 9.7 KiB in 100 blocks lost, from lose_small
 * EXPECT: 3.8 MiB in 100 blocks lost, from lose_large
 * EXPECT: 1.9 KiB in 20 blocks lost, from lose_in_thread
 */
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

#include "lib/lose.h"

static volatile uintptr_t hidden[3][100];

static __attribute__((noinline)) void lose_small(void)
{
	for (int i = 0; i < 100; i++)
		hidden[0][i] = ~(uintptr_t)malloc(100);
}

static __attribute__((noinline)) void lose_large(void)
{
	for (int i = 0; i < 100; i++)
		hidden[1][i] = ~(uintptr_t)malloc(40000);
}

static __attribute__((noinline)) void lose_in_thread(void)
{
	for (int i = 0; i < 20; i++)
		hidden[2][i] = ~(uintptr_t)malloc(100);
}

static void *thread(void *unused)
{
	lose_in_thread();
	wipe_stack();
	return unused;
}

int main(void)
{
	pthread_t other;
	pthread_create(&other, NULL, thread, NULL);
	pthread_join(other, NULL);
	lose_small();
	lose_large();
	wipe_stack();
	return 0;
}
