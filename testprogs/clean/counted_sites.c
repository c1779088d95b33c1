/*
 * Counters by site are exact, whoever counts: eight threads allocate from the
 * same 2,048 stacks, four times as many as a thread has cells for, and free what
 * another thread made. From 16 of the stacks each thread keeps seven blocks.
 *
 * RUN: whoholds run --set alloc=exact %prog
 * TIMEOUT: 60
 * KINDS: none
 * EXPECT-STDOUT: kept 896 blocks
 * EXPECT-JSON: [.reports[-1].sites[] | select(.live_blocks == 56 and .live_bytes == 56056)] | length == 16
 * EXPECT-JSON: [.reports[-1].sites[] | select(.live_blocks == 56 and .total_blocks == 376 and .total_bytes == 376376)] | length == 16
 * EXPECT-JSON: [.reports[-1].sites[] | select(.live_blocks == 56 and .peak_bytes >= 56056)] | length == 16
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define THREADS 8
#define DEPTH 11
#define STACKS (1u << DEPTH)
#define ROUNDS 40
#define BYTES 1001
#define KEPT 7

static void *volatile kept[THREADS][STACKS / 128][KEPT];
static _Atomic(void *) mailbox[THREADS][STACKS];
static pthread_barrier_t together;

__attribute__((noinline)) static void *make(unsigned depth, unsigned way);

__attribute__((noinline)) static void *make_left(unsigned depth, unsigned way)
{
	void *made = depth == 0 ? malloc(BYTES) : make(depth - 1, way);
	__asm__ volatile("" ::: "memory");
	return made;
}

__attribute__((noinline)) static void *make_right(unsigned depth, unsigned way)
{
	void *made = depth == 0 ? malloc(BYTES) : make(depth - 1, way);
	__asm__ volatile("" ::: "memory");
	return made;
}

__attribute__((noinline)) static void *make(unsigned depth, unsigned way)
{
	void *made = way & (1u << depth) ? make_right(depth, way) : make_left(depth, way);
	__asm__ volatile("" ::: "memory");
	return made;
}

static void *work(void *argument)
{
	unsigned me = (unsigned)(size_t)argument;
	/* One call for all, so that all rounds have the same stacks. */
	for (unsigned round = 0; round < ROUNDS + KEPT; round++) {
		for (unsigned way = 0; way < STACKS; way++) {
			unsigned keep = round >= ROUNDS;
			if (keep && way % 128 != 5)
				continue;
			void *block = make(DEPTH - 1, way);
			__asm__ volatile("" : "+r"(keep)); /* or the compiler makes two calls of it */
			if (keep)
				kept[me][way / 128][round - ROUNDS] = block;
			else /* whoever made what lay in the neighbour's mailbox, we free it */
				free(atomic_exchange(&mailbox[(me + 1) % THREADS][way], block));
		}
	}
	pthread_barrier_wait(&together);
	for (unsigned way = 0; way < STACKS; way++)
		free(atomic_exchange(&mailbox[me][way], NULL));
	return NULL;
}

int main(void)
{
	pthread_t threads[THREADS];

	pthread_barrier_init(&together, NULL, THREADS);
	for (size_t i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, work, (void *)i);
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	printf("kept %d blocks\n", THREADS * (int)(STACKS / 128) * KEPT);
	return 0;
}
