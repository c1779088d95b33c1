/*
 * A thread keeps standard error's stream for itself (flockfile) and wants a mutex; another
 * one has the mutex and prints. What waits there is libc, inside of fputs, where no hook is.
 *
 * HANGS: yes
 * TIMEOUT: 20
 * KINDS: deadlock
 * EXPECT: error deadlock:
 * EXPECT: have waited for each other
 * EXPECT: stream lock "stderr"
 * EXPECT-JSON: finding("deadlock") | (.threads | length) == 2 and has_thread({{tid logger}}) and has_thread({{tid worker}})
 * EXPECT-JSON: finding("deadlock") | has_frame_of("waits"; {{tid logger}}; "log_block"; {{line wants}})
 * EXPECT-JSON: finding("deadlock") | has_frame_of("acquired"; {{tid logger}}; "log_block"; {{line keeps}})
 * EXPECT-JSON: finding("deadlock") | has_frame_of("waits"; {{tid worker}}; "work"; {{line prints}})
 * EXPECT-JSON: finding("deadlock") | has_object("mutex"; "{{addr table}}")
 */
#include <stdio.h>

#include "lib/show.h"

static pthread_mutex_t table = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t both;

static void log_block(void)
{
	flockfile(stderr); /* line: keeps */
	pthread_barrier_wait(&both);
	pthread_mutex_lock(&table); /* line: wants */
	pthread_mutex_unlock(&table);
	funlockfile(stderr);
}

static void work(void)
{
	pthread_mutex_lock(&table);
	pthread_barrier_wait(&both);
	fputs("working\n", stderr); /* line: prints */
	pthread_mutex_unlock(&table);
}

static void *logger(void *unused)
{
	show_thread("logger");
	log_block();
	return unused;
}

static void *worker(void *unused)
{
	show_thread("worker");
	work();
	return unused;
}

int main(void)
{
	show_addr("table", &table);
	pthread_barrier_init(&both, NULL, 2);
	pthread_t threads[] = { thread_start(logger, NULL), thread_start(worker, NULL) };
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	return 0;
}
