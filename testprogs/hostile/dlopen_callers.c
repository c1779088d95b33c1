/*
 * Who calls dlopen decides what is found: a library with $ORIGIN in its run path finds its neighbour, which
 * the program does not; dlsym goes on behind its caller; RTLD_DEEPBIND prefers a library's own names, and its
 * malloc goes past us; dlmopen brings a second libc. A lock in the data of a library of which no code ever ran has a name.
 * Guards: a hook of dlopen with a frame of its own; blocks that are freed and were never seen, or seen and freed unseen.
 *
 * RUN: %prog %dir
 * RUN: whoholds run %prog %dir
 * NEEDS: gcc
 * BUILD: -rdynamic -ldl
 * TIMEOUT: 60
 * KINDS: leak held-at-exit
 * EXPECT-STDOUT: all as they should
 * EXPECT: from_other_namespace
 * EXPECT: lock_in_data
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/check.h"

static const char *place;

/* The program's children are nobody's business here. */
static void *open_made(const char *name, const char *flags, const char *source,
		       void *(*open)(const char *path))
{
	char path[500], command[2000];
	snprintf(path, sizeof path, "%s/%s.c", place, name);
	FILE *file = fopen(path, "w");
	CHECK(file);
	fputs(source, file);
	fclose(file);
	snprintf(command, sizeof command,
		 "env -u LD_PRELOAD gcc -g -O0 -D_GNU_SOURCE -shared -fPIC %s -o %s/lib%s.so %s -ldl", flags,
		 place, name, path);
	CHECK_EQUAL(system(command), 0);
	snprintf(path, sizeof path, "%s/lib%s.so", place, name);
	if (!open)
		return NULL;
	void *handle = open(path);
	if (!handle)
		fprintf(stderr, "%s\n", dlerror());
	CHECK(handle);
	return handle;
}

static void *plain(const char *path)
{
	return dlopen(path, RTLD_NOW | RTLD_LOCAL);
}

static void *deep(const char *path)
{
	return dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
}

static void *apart(const char *path)
{
	return dlmopen(LM_ID_NEWLM, path, RTLD_NOW);
}

#define FUNCTION(handle, type, name) ((type)(uintptr_t)dlsym(handle, name))

/* The library's own of this name is to be preferred with RTLD_DEEPBIND. */
__attribute__((visibility("default"))) int which_one(void);
int which_one(void)
{
	return 1;
}

static void callers(void)
{
	open_made("neighbour", "", "int neighbour(void) { return 42; }\nint which_one(void) { return 3; }\n",
		  NULL);
	void *opener =
	    open_made("opener", "-Wl,-rpath,'$ORIGIN' -Wl,--enable-new-dtags",
		      "#include <dlfcn.h>\n"
		      "int which_one(void) { return 2; }\n"
		      "int by_run_path(void)\n{\n"
		      "	void *handle = dlopen(\"libneighbour.so\", RTLD_NOW);\n"
		      "	int (*it)(void) = handle ? (int (*)(void))dlsym(handle, \"neighbour\") : 0;\n"
		      "	return it ? it() : -1;\n}\n"
		      "int in_default(void) { int (*it)(void) = (int (*)(void))dlsym(RTLD_DEFAULT, "
		      "\"which_one\"); return it(); }\n"
		      "int in_next(void) { return dlsym(RTLD_NEXT, \"which_one\") ? 1 : 0; }\n"
		      "void *(*next_malloc(void))(unsigned long) { return (void *(*)(unsigned "
		      "long))dlsym(RTLD_NEXT, \"malloc\"); }\n",
		      plain);
	CHECK(!dlopen("libneighbour.so", RTLD_NOW));
	CHECK_EQUAL(FUNCTION(opener, int (*)(void), "by_run_path")(), 42);
	CHECK_EQUAL(FUNCTION(opener, int (*)(void), "in_default")(), 1);
	CHECK_EQUAL(FUNCTION(opener, int (*)(void), "in_next")(), 0);
	CHECK_EQUAL(dlclose(opener), 0);
}

static void *kept; /* given to the library, which frees it past us */

static void bound_deeply(void)
{
	void *handle = open_made("deep", "",
				 "#include <stdlib.h>\n"
				 "int which_one(void) { return 2; }\n"
				 "int call_which(void) { return which_one(); }\n"
				 "void *take(void) { return malloc(100); }\n"
				 "void give(void *block) { free(block); }\n",
				 deep);
	CHECK_EQUAL(FUNCTION(handle, int (*)(void), "call_which")(), 2);
	void *(*take)(void) = FUNCTION(handle, void *(*)(void), "take");
	void (*give)(void *) = FUNCTION(handle, void (*)(void *), "give");
	for (int i = 0; i < 1000; i++) {
		char *unseen = take();
		unseen = realloc(unseen, 200);
		CHECK(unseen);
		free(unseen);
		free(take());
		kept = malloc(100);
		give(kept);
	}
	/* A block that comes to lie where one was that nobody saw being freed. */
	for (int i = 0; i < 10; i++)
		free(malloc(100));
}

static void *volatile lost;

static void lose_a_block(void)
{
	lost = malloc(4321);
	memset(lost, 1, 4321);
	lost = NULL;
}

static void in_another_namespace(void)
{
	void *handle =
	    open_made("apart", "",
		      "#include <stdlib.h>\n#include <string.h>\n"
		      "int own_work(void) { char *text = strdup(\"of the other libc\"); int n = "
		      "strlen(text); free(text); return n; }\n"
		      "void from_other_namespace(void (*call)(void)) { call(); __asm__ volatile(\"\"); }\n",
		      apart);
	CHECK_EQUAL(FUNCTION(handle, int (*)(void), "own_work")(), 17);
	FUNCTION(handle, void (*)(void (*)(void)), "from_other_namespace")(lose_a_block);
}

static void *end_with_lock(void *lock)
{
	pthread_mutex_lock(lock);
	return NULL;
}

static void name_of_a_lock(void)
{
	void *handle = open_made(
	    "data", "", "#include <pthread.h>\npthread_mutex_t lock_in_data = PTHREAD_MUTEX_INITIALIZER;\n",
	    plain);
	void *lock = dlsym(handle, "lock_in_data");
	pthread_t thread;
	CHECK(lock);
	CHECK_EQUAL(pthread_create(&thread, NULL, end_with_lock, lock), 0);
	CHECK_EQUAL(pthread_join(thread, NULL), 0);
}

int main(int argc, char **argv)
{
	CHECK(argc > 1);
	place = argv[1];
	callers();
	bound_deeply();
	in_another_namespace();
	name_of_a_lock();
	printf("all as they should\n");
	return 0;
}
