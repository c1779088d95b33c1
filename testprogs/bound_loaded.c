/*
 * A library that dlopen brings, one that is asked for its functions with dlsym, one unloaded and loaded again: what each opens and
 * closes is seen, what it leaves open is reported.
 * Hard because: when the program starts nothing calls the functions, and nothing tells that a library has come.
 *
 * RUN: whoholds run --config=%src/shared/things.conf %prog
 * RUN: LD_BIND_NOW=1 whoholds run --config=%src/shared/things.conf %prog
 * BUILD: -ldl
 * KINDS: iterator-leak
 * EXPECT-STDOUT: 3 open
 * EXPECT-JSON: finding("iterator-leak") | .count == 1 and has_frame("opened"; "user_opens"; {{line shared/user.c calls}})
 * EXPECT-JSON: finding("iterator-leak") | .count == 1 and has_frame("opened"; "table"; {{line table}})
 * EXPECT-JSON: finding("iterator-leak") | .count == 1 and has_frame("opened"; "asked"; {{line asked}})
 * EXPECT-JSON: [.findings[] | select(.kind == "iterator-leak")] | length == 3
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

#include "shared/things.h"
#include "shared/user.h"

static void *load(const char *name, int how)
{
	void *library = dlopen(name, how);
	if (!library) {
		fprintf(stderr, "%s\n", dlerror());
		exit(1);
	}
	return library;
}

static void *get(void *library, const char *name)
{
	void *found = dlsym(library, name);
	if (!found)
		exit(2);
	return found;
}

static void table(const struct user_table *functions)
{
	functions->close(functions->open("closed"));
	functions->open("left"); /* line: table */
}

static void asked(void *things)
{
	struct thing *(*open)(const char *) = get(things, "thing_open");
	int (*close)(struct thing *) = get(things, "thing_close");
	if (open != (struct thing * (*)(const char *)) get(RTLD_DEFAULT, "thing_open"))
		exit(3);
	close(open("closed"));
	open("left"); /* line: asked */
}

int main(void)
{
	void *things = load("libthings.so", RTLD_NOW | RTLD_GLOBAL);
	for (int i = 0; i < 5; i++) {
		void *user = load("libuser.so", i % 2 ? RTLD_LAZY : RTLD_NOW);
		struct thing *(*opens)(const char *) = get(user, "user_opens");
		void (*closes)(struct thing *) = get(user, "user_closes");
		closes(opens("closed"));
		if (i < 4) {
			dlclose(user);
			continue;
		}
		opens("left");
		table(get(user, "user_table"));
	}
	if (dlsym(things, "no_such_thing") || !dlerror())
		return 4;
	asked(things);
	printf("%d open\n", *(int *)get(things, "things_open"));
	return 0;
}
