/*
 * What tracking costs an uncontended lock: pthread_mutex_lock and unlock pairs,
 * ten frames down. Prints nanoseconds a pair. Run by scripts/bench.sh.
 */
#include <pthread.h>
#include <stdio.h>
#include <time.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static volatile long counter;

static double now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

__attribute__((noinline)) static void down(int depth, long count)
{
	if (depth) {
		down(depth - 1, count);
	} else {
		for (long i = 0; i < count; i++) {
			pthread_mutex_lock(&lock);
			counter++;
			pthread_mutex_unlock(&lock);
		}
	}
	__asm__ volatile("" ::: "memory");
}

int main(void)
{
	long count = 5000000;
	double begin = now_ns();

	down(10, count);
	printf("%.1f ns a pair\n", (now_ns() - begin) / (double)count);
	return 0;
}
