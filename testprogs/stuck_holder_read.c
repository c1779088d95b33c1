/*
 * A thread holds a lock and reads from a pipe that nobody writes to; two others
 * wait for the lock.
 *
 * RUN: whoholds run --set blocked=1s %prog
 * HANGS: yes
 * TIMEOUT: 20
 * KINDS: stuck-holder
 * EXPECT: error stuck-holder:
 * EXPECT: "fetcher"
 * EXPECT: "client-1"
 * EXPECT: "client-2"
 * EXPECT-JSON: finding("stuck-holder") | subjects == ["fetcher"]
 * EXPECT-JSON: finding("stuck-holder") | has_frame_of("blocked"; {{tid fetcher}}; "fetch"; {{line reads}})
 * EXPECT-JSON: finding("stuck-holder") | has_frame_of("acquired"; {{tid fetcher}}; "fetch"; {{line takes}})
 * EXPECT-JSON: finding("stuck-holder") | has_frame_of("waits"; {{tid client-1}}; "use"; {{line waits}})
 * EXPECT-JSON: finding("stuck-holder") | has_frame_of("waits"; {{tid client-2}}; "use"; {{line waits}})
 * EXPECT-JSON: finding("stuck-holder") | has_object("mutex"; "{{addr connection}}")
 * EXPECT-DUMP: stuck_holder_read.c:{{line reads}}
 * EXPECT-REPORT: stuck_holder_read.c:{{line takes}}
 */
#include <stdio.h>
#include <unistd.h>

#include "lib/show.h"

static pthread_mutex_t connection = PTHREAD_MUTEX_INITIALIZER;
static int quiet_pipe[2];

static ssize_t fetch(char *into, size_t bytes)
{
	pthread_mutex_lock(&connection);                /* line: takes */
	ssize_t got = read(quiet_pipe[0], into, bytes); /* line: reads */
	pthread_mutex_unlock(&connection);
	return got;
}

static void use(void)
{
	pthread_mutex_lock(&connection); /* line: waits */
	pthread_mutex_unlock(&connection);
}

static void *fetcher(void *unused)
{
	char answer[64];

	show_thread("fetcher");
	if (fetch(answer, sizeof answer) < 0)
		perror("read");
	return unused;
}

static void *client(void *name)
{
	show_thread(name);
	use();
	return NULL;
}

int main(void)
{
	pthread_t threads[3];

	show_addr("connection", &connection);
	if (pipe(quiet_pipe))
		return 1;
	threads[0] = thread_start(fetcher, NULL);
	sleep_ms(100);
	threads[1] = thread_start(client, "client-1");
	threads[2] = thread_start(client, "client-2");
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	return 0;
}
