/*
 * The only pointer to a block is in memory that the program got elsewhere than from
 * malloc, or that it has made read-only since, or with the kernel: none of that is lost.
 *
 * RUN: whoholds run %prog
 * TIMEOUT: 20
 * KINDS: none
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/lose.h"

#define PAGES 16

static void **map(int flags)
{
	void **at = mmap(NULL, PAGES * 4096, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | flags, -1, 0);
	if (at == MAP_FAILED)
		exit(1);
	return at;
}

static void **file_map(int flags)
{
	char name[] = "/tmp/leak_mapped.XXXXXX";
	int fd = mkstemp(name);
	if (fd < 0 || ftruncate(fd, PAGES * 4096) != 0)
		exit(1);
	unlink(name);
	void **at = mmap(NULL, PAGES * 4096, PROT_READ | PROT_WRITE, flags, fd, 0);
	close(fd);
	if (at == MAP_FAILED)
		exit(1);
	return at;
}

/* A data segment that is made read-only once it is filled. */
static void *sealed[2048] __attribute__((aligned(4096)));

static __attribute__((noinline)) void keep(void)
{
	map(MAP_PRIVATE)[100] = malloc(1001);
	map(MAP_SHARED)[200] = malloc(1002);
	file_map(MAP_PRIVATE)[300] = malloc(1003);
	file_map(MAP_SHARED)[400] = malloc(1004);
	void **read_only = map(MAP_PRIVATE);
	read_only[500] = malloc(1005);
	mprotect(read_only, PAGES * 4096, PROT_READ);
	sealed[700] = malloc(1006);
	mprotect(sealed, 4096 * 3, PROT_READ);
	/* Right beside a large block, with which the kernel makes one mapping of it. */
	void **large = map(MAP_PRIVATE);
	for (int i = 0; i < 4; i++) {
		large[i] = malloc(300000);
		map(MAP_PRIVATE)[7] = malloc(1007);
	}
	/* Behind the bytes that were asked for, where malloc_usable_size says there are more. */
	static void **slack;
	slack = malloc(100009);
	size_t words = malloc_usable_size(slack) / sizeof *slack;
	slack[words - 1] = malloc(1008);
	/* A block with a page in it that may not be read, as a stack with a guard. */
	static char *guarded;
	guarded = memalign(4096, 8 * 4096);
	mprotect(guarded + 4 * 4096, 4096, PROT_NONE);
	*(void **)(guarded + 6 * 4096) = malloc(1009);
	/* With the kernel alone. */
	int fds[2], epoll = epoll_create1(0);
	if (pipe(fds) != 0)
		exit(1);
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = malloc(1010) };
	epoll_ctl(epoll, EPOLL_CTL_ADD, fds[0], &event);
	/* Much address space of which little was touched. */
	void **wide = mmap(NULL, (size_t)8 << 30, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (wide != MAP_FAILED)
		wide[(size_t)7 << 27] = malloc(1011);
}

int main(void)
{
	keep();
	wipe_stack();
	puts("kept");
	return 0;
}
