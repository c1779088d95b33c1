/*
 * As pools of threads that begin with their library do: its constructor runs with the loader's lock held, and comes back once
 * the thread has.
 *
 * BUILD: -Wl,--no-as-needed -lstdc++
 */
#include "shared/starter.h"

#include <pthread.h>
#include <stddef.h>

/* operator new[] and new of aligned types, and what gives back what they make, as C++ calls them. */
void *_Znam(size_t bytes);
void _ZdaPv(void *block);
void *_ZnwmSt11align_val_t(size_t bytes, size_t alignment);
void _ZdlPvSt11align_val_t(void *block, size_t alignment);

static int blocks;

static void *first(void *unused)
{
	(void)unused;
	char *array = _Znam(100);
	array[99] = 1;
	_ZdaPv(array);
	char *aligned = _ZnwmSt11align_val_t(64, 64);
	aligned[63] = 1;
	_ZdlPvSt11align_val_t(aligned, 64);
	if (starter_calls)
		starter_calls();
	blocks = 2;
	return NULL;
}

__attribute__((constructor)) static void start(void)
{
	pthread_t thread;
	if (pthread_create(&thread, NULL, first, NULL) == 0)
		pthread_join(thread, NULL);
}

int starter_blocks(void)
{
	return blocks;
}
