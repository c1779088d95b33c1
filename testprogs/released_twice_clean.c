/*
 * Releases that look like second ones and are none: the same handle acquired anew, also by a function that
 * nobody records; two kinds with the same numbers; a handle that counts its users; what the parent of a fork had
 * acquired; streams that were there before the program.
 *
 * RUN: whoholds run %prog
 * TIMEOUT: 30
 * KINDS: none
 */
#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/show.h"
#include "whoholds.h"

#define ROUNDS 300

static ssize_t cookie_write(void *cookie, const char *bytes, size_t count)
{
	(void)cookie;
	(void)bytes;
	return (ssize_t)count;
}

/* The allocator gives the same address to a stream that no hook sees made. */
static void same_address(void)
{
	for (int i = 0; i < ROUNDS; i++) {
		FILE *stream = fopen("/dev/null", "w");
		fclose(stream);
		stream = fopencookie(NULL, "w", (cookie_io_functions_t){ .write = cookie_write });
		fprintf(stream, "%d", i);
		fclose(stream);
	}
}

static void *opens_and_closes(void *unused)
{
	for (int i = 0; i < ROUNDS; i++) {
		DIR *directory = opendir("/");
		FILE *stream = fopen("/dev/null", "r");
		fclose(stream);
		closedir(directory);
		if (i >= 10)
			continue;
		stream = popen("true", "r");
		pclose(stream);
	}
	return unused;
}

static void handles(void)
{
	static int iterator;

	for (int i = 0; i < ROUNDS; i++) {
		wh_iter_open(NULL, &iterator, "again");
		wh_iter_close(&iterator);
	}
	wh_acquired("socket", (void *)3, NULL);
	wh_acquired("slot", (void *)3, NULL);
	wh_released("socket", (void *)3);
	wh_released("slot", (void *)3);
	/* A handle with three users. */
	for (int i = 0; i < 3; i++)
		wh_acquired("reference", &iterator, NULL);
	for (int i = 0; i < 3; i++)
		wh_released("reference", &iterator);
	wh_released("anything", NULL);
}

static void in_child(void)
{
	static int iterator;
	DIR *directory = opendir("/");

	wh_iter_open(NULL, &iterator, "of the parent");
	pid_t child = fork();
	if (child == 0) {
		wh_iter_close(&iterator);
		closedir(directory);
		_exit(0);
	}
	waitpid(child, NULL, 0);
	wh_iter_close(&iterator);
	closedir(directory);
}

int main(void)
{
	pthread_t threads[4];

	for (int i = 0; i < 4; i++)
		threads[i] = thread_start(opens_and_closes, NULL);
	same_address();
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	handles();
	in_child();
	fclose(stdin);
	return 0;
}
