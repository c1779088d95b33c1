/*
 * A process gives up its privileges while it has several threads: every task of
 * it, whoever made it, is the new user afterwards. And what only a process with a single
 * thread may do still works, with the reporter thread long started.
 * Guards: libc tells its own threads of a new identity, and knows nothing of the reporter's.
 *
 * RUN: %prog
 * RUN: whoholds run --set tick=10ms %prog
 * KINDS: none
 * EXPECT-STDOUT: every task is the new user
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/check.h"
#include "lib/show.h"

#define NOBODY 65534

/* How many tasks there are, each of which must have the word after `name` in its status. */
static int tasks_with(const char *name, long wanted)
{
	int tasks = 0;
	DIR *directory = opendir("/proc/self/task");
	CHECK(directory);
	for (struct dirent *entry; (entry = readdir(directory));) {
		char path[300], line[200];
		long ids[4];
		snprintf(path, sizeof path, "/proc/self/task/%s/status", entry->d_name);
		FILE *status = entry->d_name[0] == '.' ? NULL : fopen(path, "r");
		if (!status)
			continue;
		while (fgets(line, sizeof line, status))
			if (!strncmp(line, name, strlen(name)) &&
			    sscanf(line + strlen(name), "%ld %ld %ld %ld", &ids[0], &ids[1], &ids[2],
				   &ids[3]) == 4)
				for (int i = 0; i < 4; i++)
					CHECK_EQUAL(ids[i], wanted);
		fclose(status);
		tasks++;
	}
	closedir(directory);
	return tasks;
}

static pthread_barrier_t start, finish;

static void *lives(void *unused)
{
	pthread_barrier_wait(&start);
	pthread_barrier_wait(&finish);
	return unused;
}

/* Not told to the library: what the kernel would say to a process of one thread. */
static long raw_call(long number, long first, long second)
{
	long result;
	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(first), "S"(second)
			 : "rcx", "r11", "memory");
	return result;
}

static int
    mounts; /* the process's own namespace of mounts, which a process of several threads may not enter */

enum way { UNSHARE, UNSHARE_SYSCALL, SETNS, SETNS_SYSCALL, WAYS };

static long take(enum way way)
{
	switch (way) {
	case UNSHARE:
		return unshare(CLONE_NEWUSER);
	case UNSHARE_SYSCALL:
		return syscall(SYS_unshare, CLONE_NEWUSER);
	case SETNS:
		return setns(mounts, CLONE_NEWNS);
	default:
		return syscall(SYS_setns, mounts, CLONE_NEWNS);
	}
}

static void alone(enum way way)
{
	int allowed;
	pid_t pid = fork();
	if (pid == 0)
		_exit((way < SETNS ? raw_call(SYS_unshare, CLONE_NEWUSER, 0)
				   : raw_call(SYS_setns, mounts, CLONE_NEWNS)) == 0);
	waitpid(pid, &allowed, 0);
	pid = fork();
	if (pid == 0) {
		/* Long enough for a reporter thread to be there. */
		for (int i = 0; i < 15; i++)
			usleep(20000);
		long result = take(way);
		usleep(20000);
		_exit(result == 0);
	}
	int did;
	waitpid(pid, &did, 0);
	CHECK(WIFEXITED(did));
	CHECK_EQUAL(WEXITSTATUS(did), WEXITSTATUS(allowed));
}

/* The sum of the tasks' numbers: another one for any that came or went. */
static long tasks_sum(void)
{
	long sum = 0;
	DIR *directory = opendir("/proc/self/task");
	CHECK(directory);
	for (struct dirent *entry; (entry = readdir(directory));)
		sum += atol(entry->d_name);
	closedir(directory);
	return sum;
}

/* What concerns the calling thread alone leaves all others what they are. */
static void for_itself(void)
{
	int names = open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC);
	long before = tasks_sum();
	for (int i = 0; i < 10; i++) {
		CHECK_EQUAL(unshare(CLONE_FS | CLONE_FILES), 0);
		CHECK_EQUAL(syscall(SYS_unshare, CLONE_FS), 0);
		CHECK_EQUAL(setns(names, CLONE_NEWUTS), 0);
		CHECK_EQUAL(setns(names, CLONE_NEWNET), -1);
		CHECK_EQUAL(errno, EINVAL);
	}
	CHECK_EQUAL(tasks_sum(), before);
	close(names);
}

static void with_threads(void)
{
	pthread_t threads[3];
	gid_t group = NOBODY;

	pthread_barrier_init(&start, NULL, 4);
	pthread_barrier_init(&finish, NULL, 4);
	for (int i = 0; i < 3; i++)
		threads[i] = thread_start(lives, NULL);
	pthread_barrier_wait(&start);
	usleep(150000);
	for_itself();
	CHECK_EQUAL(setgroups(1, &group), 0);
	CHECK_EQUAL(setresgid(NOBODY, NOBODY, NOBODY), 0);
	CHECK_EQUAL(setresuid(NOBODY, NOBODY, NOBODY), 0);
	usleep(50000);
	CHECK(tasks_with("Uid:", NOBODY) >= 4);
	CHECK(tasks_with("Gid:", NOBODY) >= 4);
	CHECK_EQUAL(setuid(0), -1);
	CHECK_EQUAL(errno, EPERM);
	pthread_barrier_wait(&finish);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
}

int main(void)
{
	if (geteuid() != 0) {
		printf("only root can give up privileges\n");
		return 77;
	}
	mounts = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	for (enum way way = UNSHARE; way < WAYS; way++)
		alone(way);
	with_threads();
	printf("every task is the new user\n");
	return 0;
}
