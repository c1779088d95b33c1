/*
 * Libraries come and go while threads open and close things through them and through libthings itself, which the program is
 * linked with at once (full RELRO): everything is closed, by whoever.
 * Hard because: what one module opens another one closes, one of them just loaded; the words to be bound can't be written.
 *
 * RUN: whoholds run --config=%src/shared/things.conf %prog
 * BUILD: -lthings -ldl -Wl,-z,relro,-z,now
 * KINDS: none
 * EXPECT-STDOUT: 0 open
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "shared/things.h"
#include "shared/user.h"

static void *get(void *library, const char *name)
{
	void *found = library ? dlsym(library, name) : NULL;
	if (!found) {
		fprintf(stderr, "%s: %s\n", name, dlerror());
		exit(1);
	}
	return found;
}

static void *opens_and_closes(void *unused)
{
	(void)unused;
	for (int i = 0; i < 200; i++) {
		void *user = dlopen("libuser.so", i % 2 ? RTLD_NOW : RTLD_LAZY);
		struct thing *(*opens)(const char *) = get(user, "user_opens");
		void (*closes)(struct thing *) = get(user, "user_closes");
		const struct user_table *table = get(user, "user_table");
		closes(thing_open("by the program"));
		thing_close(opens("by the library"));
		table->close(opens("twice by the library"));
		thing_close(table->open("by the table"));
		struct thing *last = opens("left for later");
		dlclose(user);
		thing_close(last);
	}
	return NULL;
}

int main(void)
{
	pthread_t threads[3];
	for (int i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, opens_and_closes, NULL);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	opens_and_closes(NULL);
	printf("%d open\n", things_open);
	return 0;
}
