/*
 * A program that counts on its descriptors: the next one is the lowest that is free, all of
 * them are closed by walking /proc/self/fd or by close_range, standard ones too, and
 * others come in their place.
 * Guards: a descriptor of ours that takes a number, is closed under us, or is somebody else's by the
 * time that we use it.
 *
 * RUN: %prog
 * RUN: whoholds run %prog
 * RUN: LD_PRELOAD=%lib %prog
 * KINDS: none
 * EXPECT-STDOUT: descriptors are as they should be
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/check.h"
#include "lib/show.h"

static int count_open(void)
{
	DIR *directory = opendir("/proc/self/fd");
	int count = 0;

	while (readdir(directory))
		count++;
	closedir(directory);
	return count - 3; /* ".", ".." and the directory itself */
}

static void *uses_files(void *unused)
{
	for (int i = 0; i < 50; i++) {
		FILE *file = fopen("/proc/self/stat", "r");
		char line[100];
		CHECK(file && fgets(line, sizeof line, file));
		fclose(file);
	}
	return unused;
}

static void lowest_is_next(void)
{
	int base = dup(0);

	CHECK(base >= 0);
	close(base);
	for (int i = 0; i < 20; i++) {
		int fd = open("/dev/null", O_RDONLY);
		CHECK_EQUAL(fd, base);
		pthread_join(thread_start(uses_files, NULL), NULL);
		CHECK_EQUAL(close(fd), 0);
	}
	/* The reporter has looked meanwhile. */
	sleep_ms(300);
	int fd = open("/dev/null", O_RDONLY);
	CHECK_EQUAL(fd, base);
	close(fd);
}

int main(void)
{
	int before = count_open();

	lowest_is_next();
	CHECK_EQUAL(count_open(), before);

	pid_t pid = fork();
	if (pid == 0) {
		/* What daemons do: close everything, and have others come in the places of the standard ones. */
		close_range(0, ~0U, 0);
		for (int i = 0; i < 20; i++)
			CHECK_EQUAL(open("/dev/zero", O_RDWR), i);
		pthread_join(thread_start(uses_files, NULL), NULL);
		sleep_ms(300);
		char zero[8] = "xxxxxxx";
		for (int i = 0; i < 20; i++)
			if (read(i, zero, sizeof zero) != sizeof zero || zero[0] || close(i))
				_exit(3);
		_exit(count_open() == 0 ? 0 : 4);
	}
	int status = -1;
	CHECK_EQUAL(waitpid(pid, &status, 0), pid);
	CHECK_EQUAL(status, 0);
	puts("descriptors are as they should be");
	return 0;
}
