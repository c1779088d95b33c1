/*
 * Addresses come back: what was freed is handed out again, by every function that allocates, from other sizes and
 * to other threads, and is rightly freed again. realloc moves, shrinks and gives back.
 *
 * KINDS: none
 */
#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS 20000
#define KEPT 64

static void *kept[KEPT];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *make(unsigned random)
{
	void *block = NULL;
	size_t size = random % 5000 + 1;
	switch (random / 5000 % 6) {
	case 0:
		return calloc(1, size);
	case 1:
		return aligned_alloc(64, (size + 63) & ~(size_t)63);
	case 2:
		return posix_memalign(&block, 128, size) == 0 ? block : NULL;
	case 3:
		return realloc(malloc(size / 2 + 1), size);
	case 4:
		return memalign(32, size);
	default:
		return malloc(size);
	}
}

static void *work(void *seed)
{
	unsigned random = (unsigned)(size_t)seed;
	for (int i = 0; i < ROUNDS; i++) {
		random = random * 1103515245 + 12345;
		void *block = make(random >> 8);
		pthread_mutex_lock(&lock);
		void *other = kept[random % KEPT];
		kept[random % KEPT] = block;
		pthread_mutex_unlock(&lock);
		free(other);
	}
	return NULL;
}

int main(void)
{
	pthread_t threads[4];
	for (size_t i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, work, (void *)(i + 1));
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < KEPT; i++)
		free(kept[i]);
	return 0;
}
