/*
 * leak_fork, put right: children that were forked, from a process with threads too, and that use and
 * change what they have from their parent, free it, and end in every way.
 *
 * RUN: whoholds run %prog
 * TIMEOUT: 30
 * KINDS: none
 */
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/show.h"

struct link {
	struct link *next;
	char *text;
};

static struct link *chain;
static __thread char *local;

static void push(const char *text)
{
	struct link *link = malloc(sizeof *link);
	link->next = chain;
	link->text = strdup(text);
	chain = link;
}

static void pop(void)
{
	struct link *link = chain;
	chain = link->next;
	free(link->text);
	free(link);
}

static void *wait_on(void *unused)
{
	local = malloc(100);
	for (;;)
		sleep_ms(1000);
	return unused;
}

static void in_child(int number)
{
	for (int i = 0; i < 10; i++)
		push("of the child");
	for (int i = 0; i < 40; i++)
		pop();
	local = strdup("of the child's thread");
	/* The only pointers to the child's own blocks are in blocks of the parent's. */
	chain->text = realloc(chain->text, 5000);
	if (number % 2)
		_exit(0);
	exit(0);
}

int main(void)
{
	for (int i = 0; i < 100; i++)
		push("of the parent");
	for (int i = 0; i < 6; i++) {
		if (i == 3)
			thread_start(wait_on, NULL);
		pid_t child = fork();
		if (child == 0)
			in_child(i);
		int status;
		waitpid(child, &status, 0);
		if (status != 0)
			return 1;
	}
	return 0;
}
