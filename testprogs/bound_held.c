/*
 * A program keeps a lock from its start to its end, as who may run but once does, and loads a library meanwhile: what the
 * library leaves open is reported.
 * Hard because: with a lock held one can't just take the loader's, to see what has come.
 *
 * RUN: whoholds run --config=%src/shared/things.conf %prog
 * BUILD: -ldl
 * KINDS: iterator-leak
 * EXPECT-STDOUT: 1 open
 * EXPECT-JSON: finding("iterator-leak") | .count == 1 and has_frame("opened"; "user_opens"; {{line shared/user.c calls}})
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "shared/things.h"
#include "shared/user.h"

static pthread_mutex_t only_one = PTHREAD_MUTEX_INITIALIZER, of_plugins = PTHREAD_MUTEX_INITIALIZER;

static __attribute__((noinline)) void *get(void *library, const char *name)
{
	void *found = library ? dlsym(library, name) : NULL;
	if (!found)
		exit(2);
	return found;
}

static __attribute__((noinline)) void *load(const char *name, int how)
{
	pthread_mutex_lock(&of_plugins);
	void *library = dlopen(name, how);
	pthread_mutex_unlock(&of_plugins);
	return library;
}

int main(void)
{
	pthread_mutex_lock(&only_one);
	void *things = load("libthings.so", RTLD_NOW | RTLD_GLOBAL);
	void *user = load("libuser.so", RTLD_NOW);
	void *volatile block = malloc(100); /* as any program does: further out than the call of dlopen */
	free(block);
	struct thing *(*opens)(const char *) = get(user, "user_opens");
	void (*closes)(struct thing *) = get(user, "user_closes");
	closes(opens("closed"));
#ifndef CLEAN
	opens("left");
#endif
	printf("%d open\n", *(int *)get(things, "things_open"));
	pthread_mutex_unlock(&only_one);
	return 0;
}
