/*
 * Forks while another thread goes through the list of modules (dl_iterate_phdr), as unwinders and collectors of garbage do. libc does not give
 * the child the lock of that list back; the child has no use for it, and uses operators of C++ for the first time.
 *
 * KINDS: none
 * TIMEOUT: 60
 * EXPECT-STDOUT: the child was served
 */
#include <link.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <new>

#include "lib/check.h"

static pthread_barrier_t in_the_list, has_forked;

static int wait_there(struct dl_phdr_info *, size_t, void *)
{
	pthread_barrier_wait(&in_the_list);
	pthread_barrier_wait(&has_forked);
	return 1;
}

static void *lists(void *unused)
{
	dl_iterate_phdr(wait_there, nullptr);
	return unused;
}

static int *volatile kept;

static int in_the_child()
{
	alarm(30); /* where it hangs it is not to outlive the test */
	kept = new int[100];
	delete[] kept;
	kept = new (std::nothrow) int;
	delete kept;
	return 7;
}

int main()
{
	pthread_t thread;
	int status;
	pthread_barrier_init(&in_the_list, nullptr, 2);
	pthread_barrier_init(&has_forked, nullptr, 2);
	CHECK(pthread_create(&thread, nullptr, lists, nullptr) == 0);
	pthread_barrier_wait(&in_the_list);
	pid_t child = fork();
	if (child == 0)
		_exit(in_the_child());
	CHECK(waitpid(child, &status, 0) == child);
	pthread_barrier_wait(&has_forked);
	pthread_join(thread, nullptr);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
	puts("the child was served");
	return 0;
}
