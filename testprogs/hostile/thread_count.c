/*
 * A program of one thread looks how many it has, and finds one, by every way that /proc offers, when the library has long started its
 * own. And what it does after that can hang, and is told.
 *
 * RUN: whoholds run --set tick=10ms %prog
 * HANGS: yes
 * KINDS: deadlock
 * EXPECT-STDOUT: one thread, every time
 */
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/check.h"
#include "lib/show.h"

static long links_of(int way)
{
	struct stat found;
	struct stat64 found64;
	char path[64];
	int proc = open("/proc", O_RDONLY | O_DIRECTORY);
	snprintf(path, sizeof path, "/proc/%d/task", (int)getpid());
	switch (way) {
	case 0:
		CHECK_EQUAL(stat("/proc/self/task", &found), 0);
		break;
	case 1:
		CHECK_EQUAL(stat(path, &found), 0);
		break;
	case 2:
		CHECK_EQUAL(fstatat(proc, "self/task/", &found, 0), 0);
		break;
	case 3:
		CHECK_EQUAL(fstatat64(proc, "self/task/", &found64, 0), 0);
		found.st_nlink = found64.st_nlink;
		break;
	default:
		CHECK_EQUAL(stat64("/proc/self/task/", &found64), 0);
		found.st_nlink = found64.st_nlink;
	}
	close(proc);
	return (long)found.st_nlink;
}

/* What newer kernels take for an empty path; older ones refuse it. */
static void no_path(void)
{
	const char *volatile path = NULL;
	struct stat found;
	int task = open("/proc/self/task", O_RDONLY | O_DIRECTORY);
	CHECK_EQUAL(fstatat(task, path, &found, AT_EMPTY_PATH),
		    syscall(SYS_newfstatat, task, path, &found, AT_EMPTY_PATH));
	close(task);
}

static long entries(void)
{
	long count = 0;
	DIR *directory = opendir("/proc/self/task");
	CHECK(directory);
	for (struct dirent *entry; (entry = readdir(directory));)
		count += entry->d_name[0] != '.';
	closedir(directory);
	return count;
}

static long threads_said(const char *line)
{
	long threads = 0;
	const char *at = strrchr(line, ')');
	CHECK(at && sscanf(at + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %ld",
			   &threads) == 1);
	return threads;
}

static long in_stat(void)
{
	char line[1024] = "";
	FILE *file = fopen("/proc/self/stat", "r");
	CHECK(file && fgets(line, sizeof line, file));
	fclose(file);
	return threads_said(line);
}

/* As streams of C++ read: what was opened is read by read(). */
static long in_stat_by_read(void)
{
	char line[1024] = "";
	FILE *file = fopen("/proc/self/stat", "r");
	CHECK(file && read(fileno(file), line, sizeof line - 1) > 0);
	fclose(file);
	return threads_said(line);
}

static long in_status(void)
{
	char line[256];
	long threads = 0;
	FILE *file = fopen("/proc/self/status", "r");
	CHECK(file);
	while (fgets(line, sizeof line, file))
		sscanf(line, "Threads: %ld", &threads);
	fclose(file);
	return threads;
}

/* Where the library's thread is just at work, it is not waited for: asked again, there is one. */
static long asked(long (*way)(void))
{
	long threads = way();
	for (int i = 0; i < 200 && threads != 1; i++) {
		sleep_ms(5);
		threads = way();
	}
	return threads;
}

int main(void)
{
	/* Before there is one, too: none is to begin between the two calls. */
	CHECK_EQUAL(in_stat_by_read(), 1);
	for (int round = 0; round < 3; round++) {
		/* Long enough for the reporter thread to be there. */
		sleep_ms(150);
		for (int i = 0; i < 1000; i++)
			free(malloc(10));
		sleep_ms(30);
		for (int way = 0; way < 5; way++)
			CHECK_EQUAL(links_of(way), 3);
		no_path();
		CHECK_EQUAL(asked(entries), 1);
		sleep_ms(150);
		CHECK_EQUAL(asked(in_stat), 1);
		sleep_ms(150);
		CHECK_EQUAL(asked(in_status), 1);
		sleep_ms(150);
		CHECK_EQUAL(asked(in_stat_by_read), 1);
	}
	puts("one thread, every time");
	fflush(stdout);
	pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	pthread_mutex_lock(&lock);
	pthread_mutex_lock(&lock);
	return 0;
}
