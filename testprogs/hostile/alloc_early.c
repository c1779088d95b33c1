/*
 * Memory is asked for and given back before any constructor has run: from a
 * resolver of an indirect function, from .preinit_array, from constructors; and after main, from
 * destructors and at-exit handlers. Blocks of one time are freed in another.
 * Guards: hooks that need their library's constructor, or functions that are not resolved yet.
 *
 * RUN: %prog
 * RUN: whoholds run %prog
 * RUN: LD_PRELOAD=%lib %prog
 * KINDS: none
 * EXPECT-STDOUT: early and late
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/check.h"

static char *from_preinit, *from_constructor, *from_main;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static int real_answer(void)
{
	return 42;
}

/* ld.so calls it while it relocates the program: no constructor has run, environ is not set. */
__attribute__((used)) static int (*choose_answer(void))(void)
{
	return real_answer;
}

int answer(void) __attribute__((ifunc("choose_answer")));

static void before_all(int argc, char **argv, char **environment)
{
	(void)argc;
	(void)argv;
	(void)environment;
	pthread_mutex_lock(&lock);
	from_preinit = strdup("preinit");
	free(malloc(100));
	from_preinit = realloc(from_preinit, 4000);
	pthread_mutex_unlock(&lock);
}

__attribute__((section(".preinit_array"), used)) static void (*const preinit)(int, char **,
									      char **) = before_all;

__attribute__((constructor(101))) static void constructed(void)
{
	CHECK(strcmp(from_preinit, "preinit") == 0);
	free(from_preinit);
	from_constructor = strdup("constructor");
	FILE *file = fopen("/dev/null", "w");
	fprintf(file, "%d", 1);
	fclose(file);
}

__attribute__((destructor(101))) static void destructed(void)
{
	free(from_main);
	free(malloc(100));
	pthread_mutex_lock(&lock);
	pthread_mutex_unlock(&lock);
	/* stdio may be gone. */
	if (write(1, "and late\n", 9) != 9)
		_exit(1);
}

static void at_exit(void)
{
	free(malloc(10));
	CHECK(strcmp(from_main, "main") == 0);
}

int main(void)
{
	CHECK_EQUAL(answer(), 42);
	CHECK(strcmp(from_constructor, "constructor") == 0);
	free(from_constructor);
	from_main = strdup("main");
	atexit(at_exit);
	printf("early ");
	fflush(stdout);
	return 0;
}
