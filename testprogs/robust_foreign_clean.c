/*
 * A program ends with a robust mutex held that another program has made, in a file that both map: that is what robust mutexes are
 * for. Nothing in the program that ends says so but the mutex itself.
 *
 * RUN: whoholds run %prog %dir/shared
 * KINDS: none
 * EXPECT-STDOUT: the owner died
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/check.h"

static pthread_mutex_t *map(const char *path)
{
	int file = open(path, O_RDWR | O_CREAT, 0600);
	CHECK(file >= 0);
	CHECK_EQUAL(ftruncate(file, 4096), 0);
	void *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	CHECK(memory != MAP_FAILED);
	close(file);
	return memory;
}

static void make(pthread_mutex_t *lock)
{
	pthread_mutexattr_t attributes;
	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
	CHECK_EQUAL(pthread_mutex_init(lock, &attributes), 0);
	pthread_mutexattr_destroy(&attributes);
}

int main(int argc, char **argv)
{
	CHECK(argc > 1);
	pthread_mutex_t *lock = map(argv[1]);
	if (argc > 2) {
		CHECK_EQUAL(pthread_mutex_lock(lock), 0);
		return 0;
	}
	make(lock);
	pid_t pid = fork();
	if (pid == 0) {
		execl("/proc/self/exe", argv[0], argv[1], "locks", (char *)NULL);
		_exit(1);
	}
	int status = -1;
	CHECK_EQUAL(waitpid(pid, &status, 0), pid);
	CHECK_EQUAL(status, 0);
	if (pthread_mutex_lock(lock) == EOWNERDEAD)
		puts("the owner died");
	pthread_mutex_consistent(lock);
	pthread_mutex_unlock(lock);
	return 0;
}
