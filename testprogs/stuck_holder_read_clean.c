/*
 * stuck_holder_read, put right: the lock is given back before the read, which
 * takes longer than the threshold. A thread that holds nothing may block.
 *
 * RUN: whoholds run --set blocked=500ms %prog
 * TIMEOUT: 20
 * KINDS: none
 */
#include <stdio.h>
#include <unistd.h>

#include "lib/show.h"

static pthread_mutex_t connection = PTHREAD_MUTEX_INITIALIZER;
static int slow_pipe[2];
static int requests;

static void use(void)
{
	pthread_mutex_lock(&connection);
	requests++;
	pthread_mutex_unlock(&connection);
}

static void *fetcher(void *unused)
{
	char answer;

	use();
	if (read(slow_pipe[0], &answer, 1) != 1)
		perror("read");
	use();
	return unused;
}

static void *client(void *unused)
{
	use();
	return unused;
}

int main(void)
{
	pthread_t threads[3];

	if (pipe(slow_pipe))
		return 1;
	threads[0] = thread_start(fetcher, NULL);
	threads[1] = thread_start(client, NULL);
	threads[2] = thread_start(client, NULL);
	sleep_ms(1500);
	if (write(slow_pipe[1], "x", 1) != 1)
		return 1;
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	printf("%d requests\n", requests);
	return 0;
}
