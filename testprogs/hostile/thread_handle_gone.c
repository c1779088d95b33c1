/*
 * The new thread unmaps the memory that its own pthread_t was stored in, while whoever made it is still in pthread_create. libc
 * stores it before the thread runs, and does not look there again.
 * Guards: a library that reads it afterwards.
 *
 * RUN: %prog
 * RUN: whoholds run %prog
 * KINDS: none
 * EXPECT-STDOUT: every thread unmapped its name
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <sys/mman.h>
#include <threads.h>

#include "lib/check.h"

#define ROUNDS 1500u
#define PAGE ((size_t)4096)

struct name {
	char before[64];
	pthread_t posix;
	thrd_t c11;
};

static sem_t done;

static void *unmap_name(void *name)
{
	pthread_detach(pthread_self());
	munmap(name, PAGE);
	sem_post(&done);
	return NULL;
}

static int unmap_name_c11(void *name)
{
	thrd_detach(thrd_current());
	munmap(name, PAGE);
	sem_post(&done);
	return 0;
}

static void *map(void)
{
	void *made = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(made != MAP_FAILED);
	return made;
}

int main(void)
{
	sem_init(&done, 0, 0);
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct name *name = map();
		CHECK_EQUAL(pthread_create(&name->posix, NULL, unmap_name, name), 0);
		sem_wait(&done);
		name = map();
		CHECK_EQUAL(thrd_create(&name->c11, unmap_name_c11, name), thrd_success);
		sem_wait(&done);
	}
	puts("every thread unmapped its name");
	return 0;
}
