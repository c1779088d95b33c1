/*
 * worker_died, put right: whatever way the worker ends, it says that it is done.
 *
 * TIMEOUT: 30
 * KINDS: none
 * EXPECT-STDOUT: the helper got 0 bytes
 */
#include <stdio.h>
#include <unistd.h>

#include "lib/show.h"

static struct job {
	pthread_mutex_t lock;
	pthread_cond_t ready;
	int bytes; /* -1: not yet */
	pthread_t helper;
} job = { .lock = PTHREAD_MUTEX_INITIALIZER, .ready = PTHREAD_COND_INITIALIZER, .bytes = -1 };

static void *helper(void *unused)
{
	pthread_mutex_lock(&job.lock);
	while (job.bytes < 0)
		pthread_cond_wait(&job.ready, &job.lock);
	printf("the helper got %d bytes\n", job.bytes);
	pthread_mutex_unlock(&job.lock);
	return unused;
}

static void is_done(void *got)
{
	pthread_mutex_lock(&job.lock);
	job.bytes = *(int *)got;
	pthread_cond_signal(&job.ready);
	pthread_mutex_unlock(&job.lock);
}

static void *worker(void *input)
{
	char buffer[16];
	int got = 0;

	job.helper = thread_start(helper, NULL);
	pthread_cleanup_push(is_done, &got);
	got = (int)read(*(int *)input, buffer, sizeof buffer);
	pthread_cleanup_pop(1);
	return NULL;
}

int main(void)
{
	int input[2];

	if (pipe(input))
		return 1;
	pthread_t thread = thread_start(worker, &input[0]);
	sleep_ms(200);
	pthread_cancel(thread);
	pthread_join(thread, NULL);
	pthread_join(job.helper, NULL);
	close(input[0]);
	close(input[1]);
	return 0;
}
