/*
 * Nothing is lost, but the only pointer to a block is hard to see at any moment: in a table that grows by realloc and
 * is on the move most of the time, in a register or on the stack of a thread that works, passed from thread to thread through a
 * pipe, on the stack of a coroutine that is not running, in thread-local and thread-specific storage, in what epoll keeps.
 * Looked at twenty times while it works.
 *
 * RUN: whoholds run --set leaks=1s %prog
 * TIMEOUT: 90
 * KINDS: none
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include "lib/show.h"

static volatile int over;

/* A table of blocks, megabytes long, that realloc moves again and again. */
static void *grower(void *unused)
{
	while (!over) {
		size_t count = 0;
		char **table = NULL;
		/* In between, so that it has to be moved. */
		char *wedge = NULL;
		for (size_t room = 1000; room < 200000 && !over; room += 20000) {
			table = realloc(table, room * sizeof *table);
			free(wedge);
			wedge = malloc(300);
			for (; count < room; count++)
				table[count] = count % 64 ? NULL : malloc(24);
		}
		for (size_t i = 0; i < count; i++)
			free(table[i]);
		free(table);
		free(wedge);
	}
	return unused;
}

/* A list in a register, turned round. */
static void *turner(void *unused)
{
	struct link {
		struct link *next;
		unsigned long value;
	} *list = NULL;
	for (unsigned long i = 0; i < 1000; i++) {
		struct link *link = malloc(sizeof *link);
		*link = (struct link){ list, i };
		list = link;
	}
	while (!over) {
		struct link *turned = NULL;
		while (list) {
			struct link *next = list->next;
			list->next = turned;
			turned = list;
			list = next;
		}
		list = turned;
	}
	while (list) {
		struct link *next = list->next;
		free(list);
		list = next;
	}
	return unused;
}

static int ends[2];

static void *sender(void *unused)
{
	while (!over) {
		char *message = strdup("on its way");
		if (write(ends[1], &message, sizeof message) != sizeof message)
			abort();
	}
	close(ends[1]);
	return unused;
}

static void *receiver(void *unused)
{
	char *message;
	while (read(ends[0], &message, sizeof message) == sizeof message)
		free(message);
	close(ends[0]);
	return unused;
}

static ucontext_t here, there;

static void routine(void)
{
	char *kept = malloc(500);
	char *other = malloc(600);
	other[0] = kept[0] = 'x';
	swapcontext(&there, &here);
	free(kept);
	free(other);
}

static __thread char *local;
static pthread_key_t key;

static void *blocked(void *data)
{
	int *eyes = data;
	local = malloc(700);
	pthread_setspecific(key, malloc(800));
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = malloc(900) };
	if (epoll_ctl(eyes[0], EPOLL_CTL_ADD, eyes[1], &event) != 0)
		abort();
	memset(&event, 0, sizeof event);
	if (epoll_wait(eyes[0], &event, 1, -1) != 1)
		abort();
	free(event.data.ptr);
	free(local);
	return NULL;
}

int main(void)
{
	pthread_t threads[5];
	int eyes[2] = { epoll_create1(0), eventfd(0, 0) };
	pthread_key_create(&key, free);
	if (pipe(ends) != 0)
		abort();
	getcontext(&there);
	there.uc_stack.ss_size = 256 * 1024;
	there.uc_stack.ss_sp =
	    mmap(NULL, there.uc_stack.ss_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	there.uc_link = &here;
	makecontext(&there, routine, 0);
	swapcontext(&here, &there);
	threads[0] = thread_start(grower, NULL);
	threads[1] = thread_start(turner, NULL);
	threads[2] = thread_start(receiver, NULL);
	threads[3] = thread_start(sender, NULL);
	threads[4] = thread_start(blocked, eyes);
	sleep_ms(20000);
	over = 1;
	uint64_t one = 1;
	if (write(eyes[1], &one, sizeof one) != sizeof one)
		abort();
	for (int i = 0; i < 5; i++)
		pthread_join(threads[i], NULL);
	swapcontext(&here, &there);
	munmap(there.uc_stack.ss_sp, there.uc_stack.ss_size);
	puts("done");
	return 0;
}
