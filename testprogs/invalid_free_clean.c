/*
 * Frees that look odd and are right: NULL, what realloc moved, blocks made before main and by libc, in other threads,
 * in a child that was forked, on a coroutine's stack that is itself allocated, and at the edges of pages.
 *
 * KINDS: none
 */
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

static char *early;
static ucontext_t back, there;
static void *from_main;

__attribute__((constructor)) static void before_main(void)
{
	early = malloc(1000);
}

static void *give_back(void *block)
{
	free(block);
	return NULL;
}

static void coroutine(void)
{
	char *own = malloc(100);
	free(from_main);
	free(own);
}

static void on_coroutine(void)
{
	size_t bytes = 256 * 1024;
	char *stack = malloc(bytes);
	from_main = malloc(50);
	getcontext(&there);
	there.uc_stack.ss_sp = stack;
	there.uc_stack.ss_size = bytes;
	there.uc_link = &back;
	makecontext(&there, coroutine, 0);
	swapcontext(&back, &there);
	free(stack);
}

int main(void)
{
	char *line = NULL, *text = NULL;
	size_t room = 0;
	free(NULL);
	FILE *file = fopen("/proc/self/status", "r");
	if (!file || getline(&line, &room, file) < 0 || asprintf(&text, "%s!", line) < 0)
		return 1;
	fclose(file);
	free(line);
	free(text);
	free(realpath("/proc", NULL));

	void *aligned = NULL;
	if (posix_memalign(&aligned, 65536, 100) != 0)
		return 1;
	free(aligned);
	free(valloc(100));

	pthread_t thread;
	pthread_create(&thread, NULL, give_back, malloc(77));
	pthread_join(thread, NULL);

	char *inherited = malloc(300);
	int status = 1;
	pid_t child = fork();
	if (child == 0) {
		free(inherited);
		free(early);
		free(malloc(300));
		_exit(0);
	}
	waitpid(child, &status, 0);
	free(inherited);
	free(early);
	on_coroutine();

	char *large = malloc(1 << 20);
	large = realloc(large, 4 << 20);
	large = realloc(large, 100);
	free(large);
	return status;
}
