/*
 * Mappings that are unmapped in every way, and others that stay mapped until the end, all of them known, in ways in which
 * programs know memory: from the middle, from a packed structure, with bits of their own above the address, by the
 * number of the page, by half a word, by their own rule where things are; through others; from a thread's variable and stack; by the
 * kernel alone. And a reservation that is filled piece by piece, and guard pages.
 *
 * RUN: whoholds run --set mappings=on %prog
 * RUN: whoholds run --set mappings=on --set leaks=1s %prog
 * RUN: whoholds run %prog
 * KINDS: none
 */
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/lose.h"

#define PIECE ((size_t)65536)

static char *map(size_t bytes, int protection, int flags)
{
	char *at = mmap(NULL, bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
	if (at == MAP_FAILED)
		exit(1);
	return at;
}

static char *fresh(void)
{
	char *at = map(PIECE, PROT_READ | PROT_WRITE, 0);
	memset(at, 1, PIECE);
	return at;
}

static char *middle, **through, *holed, *aligned, *above, *top;
static struct __attribute__((packed)) {
	char tag[3];
	char *at;
} packed;
static uint64_t tagged, page_number;
static uint32_t low;
static __thread char *own;

static __attribute__((noinline)) void keep(void)
{
	middle = fresh() + 30000;
	packed.at = fresh();
	tagged = (uint64_t)(uintptr_t)fresh() | UINT64_C(0xbeef) << 48;
	page_number = (uint64_t)(uintptr_t)fresh() >> 12;
	low = (uint32_t)(uintptr_t)map(PIECE, PROT_READ | PROT_WRITE, MAP_32BIT);
	own = fresh();
	/* Three in a row, each of which holds the next. */
	through = (char **)(void *)fresh();
	through[5] = fresh();
	memcpy(through[5] + 13, &(char *){ fresh() }, sizeof(char *));
	/* A stack that is known by its end alone, where as a rule the mapping before begins, which is known, too. */
	above = fresh();
	top = map(PIECE, PROT_READ | PROT_WRITE, MAP_STACK) + PIECE;
	/* With a hole in it: what is behind it is known from before it. */
	holed = map(3 * PIECE, PROT_READ | PROT_WRITE, 0);
	munmap(holed + PIECE, PIECE);
	/* As large as need be, then cut to where it is aligned. */
	char *wide = map(2 * PIECE, PROT_READ | PROT_WRITE, 0);
	aligned = (char *)(((uintptr_t)wide + PIECE - 1) & ~(PIECE - 1));
	munmap(wide, (size_t)(aligned - wide));
	munmap(aligned + PIECE, (size_t)(wide + PIECE - aligned));
}

/* Nobody keeps their addresses, which follow from one. */
static char *reserved;

static __attribute__((noinline)) void fill(void)
{
	reserved = map(64 * PIECE, PROT_NONE, MAP_NORESERVE);
	for (size_t i = 0; i < 64; i += 2) {
		void *at = mmap(reserved + i * PIECE, PIECE, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		if (at == MAP_FAILED)
			exit(1);
	}
	/* A place that is the program's rule, not its knowledge. */
	void *wanted = (void *)(uintptr_t)UINT64_C(0x200000000000);
	if (mmap(wanted, PIECE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != wanted)
		puts("somewhere else");
	map(4096, PROT_NONE, 0);
}

static __attribute__((noinline)) void give_back(void)
{
	for (int i = 0; i < 3; i++) {
		char *first = map(2 * PIECE, PROT_READ | PROT_WRITE, 0);
		char *second = mmap(first + PIECE, PIECE, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		if (second == MAP_FAILED)
			exit(1);
		munmap(first, 2 * PIECE);
		char *moved = fresh();
		moved = mremap(moved, PIECE, 8 * PIECE, MREMAP_MAYMOVE);
		moved = mremap(moved, 8 * PIECE, 2 * PIECE, 0);
		munmap(moved, PIECE);
		munmap(moved + PIECE, PIECE);
	}
	int id = shmget(IPC_PRIVATE, PIECE, IPC_CREAT | 0600);
	shmdt(shmat(id, NULL, 0));
	/* Also past libc's names for them. */
	syscall(SYS_shmdt, shmat(id, NULL, 0));
	shmdt((void *)syscall(SYS_shmat, id, NULL, 0));
	shmctl(id, IPC_RMID, NULL);
	/* In pieces, out of order, as one. */
	char *pages = fresh();
	munmap(pages + 4096, 4096);
	munmap(pages, 4096);
	munmap(pages, PIECE);
}

/* By the kernel alone. */
static __attribute__((noinline)) void with_kernel(void)
{
	int fds[2], epoll = epoll_create1(0);
	if (pipe(fds) != 0)
		exit(1);
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = fresh() };
	epoll_ctl(epoll, EPOLL_CTL_ADD, fds[0], &event);
	stack_t stack = { .ss_sp = fresh(), .ss_size = PIECE };
	sigaltstack(&stack, NULL);
}

static pthread_barrier_t ready;

/* Runs on a stack of the program's own, and knows another in a register or on it. */
static void *worker(void *unused)
{
	char *volatile at = fresh();
	own = fresh();
	pthread_barrier_wait(&ready);
	while (at)
		pause();
	return unused;
}

static __attribute__((noinline)) void start(void)
{
	pthread_t thread;
	pthread_attr_t attributes;
	pthread_attr_init(&attributes);
	pthread_attr_setstack(&attributes, map(8 * PIECE, PROT_READ | PROT_WRITE, MAP_STACK), 8 * PIECE);
	pthread_barrier_init(&ready, NULL, 2);
	if (pthread_create(&thread, &attributes, worker, NULL) != 0)
		exit(1);
	pthread_attr_destroy(&attributes);
	pthread_barrier_wait(&ready);
}

int main(void)
{
	keep();
	fill();
	give_back();
	with_kernel();
	start();
	wipe_stack();
	sleep(2);
	return middle && through && holed && aligned && above && top && packed.at && tagged && page_number &&
		       low && own && reserved
		   ? 0
		   : 1;
}
