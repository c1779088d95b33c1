/*
 * A filter on system calls that kills for any that the program does not make itself:
 * the shim must make none of its own from then on. Strict mode leaves read, write and exit.
 *
 * RUN: whoholds run %prog
 * RUN: whoholds run --set check=heap %prog
 * TIMEOUT: 20
 * KINDS: none
 * EXPECT-STDOUT: inside and alive
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static int inside(void)
{
	/* Enough of the heap beforehand that malloc needs no system call of its own. Some of these begin near a page's start. */
	static char *many[500];
	free(malloc(100000));
	for (int i = 0; i < 500; i++)
		many[i] = malloc((size_t)i);
	if (prctl(PR_SET_SECCOMP, 1 /* strict */) != 0)
		return 77;
	for (int i = 0; i < 500; i++)
		free(many[i]);
	for (int i = 0; i < 1000; i++) {
		char *block = malloc(50);
		pthread_mutex_lock(&lock);
		memset(block, 'x', 50);
		pthread_mutex_unlock(&lock);
		free(block);
	}
	static const char words[] = "inside and alive\n";
	if (write(1, words, sizeof words - 1) < 0)
		return 1;
	/* exit_group is not among the calls that strict mode allows. */
	syscall(SYS_exit, 0);
	return 2;
}

int main(void)
{
	pid_t child = fork();
	if (child == 0)
		return inside();
	int status;
	if (waitpid(child, &status, 0) != child)
		return 1;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
		puts("seccomp is not to be had here");
		return 77;
	}
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		printf("the child ended with status %#x\n", status);
	return !(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
