/*
 * Two threads lock two files in both orders, each through descriptors of its own.
 *
 * RUN: whoholds run %prog %dir
 * HANGS: yes
 * TIMEOUT: 20
 * KINDS: deadlock
 * EXPECT: error deadlock:
 * EXPECT: have waited for each other
 * EXPECT: waits in flock on file lock "
 * EXPECT: first.lock"
 * EXPECT: second.lock"
 * EXPECT-JSON: finding("deadlock") | (.threads | length) == 2 and has_thread({{tid forth}}) and has_thread({{tid back}})
 * EXPECT-JSON: finding("deadlock") | has_frame_of("waits"; {{tid forth}}; "lock_both"; {{line waits}})
 * EXPECT-JSON: finding("deadlock") | has_frame_of("acquired"; {{tid back}}; "lock_both"; {{line takes}})
 * EXPECT-JSON: finding("deadlock") | [objects | select(.kind == "file-lock")] | length == 2
 * EXPECT-REPORT: file_lock_deadlock.c:{{line waits}}
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>

#include "lib/show.h"

static pthread_barrier_t both;
static char names[2][4096];

static int open_file(const char *name)
{
	int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0) {
		perror(name);
		exit(1);
	}
	return fd;
}

static void lock_both(const char *one, const char *other)
{
	int fds[] = { open_file(one), open_file(other) };

	flock(fds[0], LOCK_EX); /* line: takes */
	pthread_barrier_wait(&both);
	flock(fds[1], LOCK_EX); /* line: waits */
}

static void *forth(void *unused)
{
	show_thread("forth");
	lock_both(names[0], names[1]);
	return unused;
}

static void *back(void *unused)
{
	show_thread("back");
	lock_both(names[1], names[0]);
	return unused;
}

int main(int argc, char **argv)
{
	const char *directory = argc > 1 ? argv[1] : "/tmp";
	snprintf(names[0], sizeof(names[0]), "%s/first.lock", directory);
	snprintf(names[1], sizeof(names[1]), "%s/second.lock", directory);
	pthread_barrier_init(&both, NULL, 2);
	pthread_t threads[] = { thread_start(forth, NULL), thread_start(back, NULL) };
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	return 0;
}
