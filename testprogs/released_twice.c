/*
 * An iterator is put back into its pool twice, a slot is released that was never
 * taken, and a directory is closed twice.
 *
 * Hard because the second release of a pooled thing takes it from whoever has
 * it by then; and libc frees what it closes, so a process that closes it twice may be aborted
 * for that: here a child is.
 *
 * RUN: whoholds run %prog
 * TIMEOUT: 20
 * KINDS: released-twice double-free
 * EXPECT: error released-twice: thread 1 "main" closed iterator "scan", which it had closed already in pool_put
 * EXPECT: released resource "slot", which was not open, in
 * EXPECT: closed directory "/proc/self", which it had closed already in close_twice
 * EXPECT: closed again in
 * EXPECT: had closed it before in
 * EXPECT-JSON: [finding("released-twice").title] | unique | length == 3
 * EXPECT-JSON: finding("released-twice") | has_frame("released-again"; "pool_put"; {{line puts}}) and has_frame("released-again"; "main"; {{line second put}}) and has_frame("released"; "main"; {{line first put}}) and has_frame("opened"; "main"; {{line gets}})
 * EXPECT-JSON: finding("released-twice") | has_frame("released-again"; "main"; {{line never}})
 * EXPECT-JSON: finding("released-twice") | has_frame("released-again"; "close_twice"; {{line closes again}}) and has_frame("released"; "close_twice"; {{line closes}}) and has_frame("opened"; "close_twice"; {{line opens}})
 */
#include <dirent.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "whoholds.h"

static struct iterator {
	struct iterator *next;
} iterators[4], *pool;

static void pool_put(struct iterator *iterator)
{
	wh_iter_close(iterator); /* line: puts */
	iterator->next = pool;
	pool = iterator;
}

static struct iterator *pool_get(void)
{
	struct iterator *iterator = pool;

	pool = iterator->next;
	wh_iter_open(&pool, iterator, "scan");
	return iterator;
}

static void close_twice(void)
{
	DIR *directory = opendir("/proc/self"); /* line: opens */

	closedir(directory); /* line: closes */
#pragma GCC diagnostic push
#ifndef __clang__ /* which does not see it */
#pragma GCC diagnostic ignored "-Wuse-after-free"
#endif
	closedir(directory); /* line: closes again */
#pragma GCC diagnostic pop
}

int main(void)
{
	for (int i = 1; i < 4; i++)
		iterators[i - 1].next = &iterators[i];
	pool = iterators;

	struct iterator *iterator = pool_get(); /* line: gets */
	pool_put(iterator);                     /* line: first put */
	pool_put(iterator);                     /* line: second put */

	wh_acquired("slot", (void *)1, NULL);
	wh_released("slot", (void *)1);
	wh_released("slot", (void *)2); /* line: never */

	pid_t child = fork();
	if (child == 0) {
		setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
		close_twice();
		_exit(0);
	}
	waitpid(child, NULL, 0);
	return 0;
}
