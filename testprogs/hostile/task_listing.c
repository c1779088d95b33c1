/*
 * A program waits for its other thread to be gone by what is in /proc/self/task, and looks again and again in one listing of it:
 * until only its own is there. The library's thread is there all the time, and is not seen.
 *
 * EXPECT-STDOUT: alone
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/check.h"
#include "lib/show.h"

static void *naps(void *unused)
{
	sleep_ms(200);
	return unused;
}

/* How many entries there are that are no thread of the program's. */
static int others(DIR *directory)
{
	int count = 0;
	rewinddir(directory);
	for (struct dirent *entry; (entry = readdir(directory));) {
		int tid = atoi(entry->d_name);
		count += tid > 0 && tid != check_tid();
	}
	return count;
}

int main(void)
{
	DIR *early = opendir("/proc/self/task");
	pthread_t thread = thread_start(naps, NULL);
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/task", (int)getpid());
	DIR *directory = opendir(path);
	CHECK(early && directory);
	CHECK_EQUAL(others(early), 1);
	while (others(directory))
		sleep_ms(20);
	CHECK_EQUAL(others(early), 0);
	puts("alone");
	pthread_join(thread, NULL);
	closedir(early);
	closedir(directory);
	/* Another process's, and other directories, have all that is in them. */
	directory = opendir("/proc/1/task");
	CHECK(!directory || others(directory) > 0);
	if (directory)
		closedir(directory);
	directory = opendir("/proc/self");
	CHECK(directory);
	int entries = 0;
	while (readdir(directory))
		entries++;
	CHECK(entries > 20);
	closedir(directory);
	return 0;
}
