/*
 * A worker starts a helper that is to wait until the worker has read its input. The worker is told to end
 * while it reads, and never says that it is done: the helper waits for ever, and main for the helper.
 *
 * Hard because who would have woken the helper is not there any more: no ring, no lock that anybody holds.
 *
 * HANGS: yes
 * TIMEOUT: 30
 * KINDS: deadlock
 * EXPECT: error deadlock: all 2 threads have waited
 * EXPECT: and none is left to wake another
 * EXPECT-JSON: finding("deadlock") | has_thread({{tid helper}})
 * EXPECT-JSON: finding("deadlock") | has_frame_of("waits"; {{tid helper}}; "await_input"; {{line waits}})
 * EXPECT-JSON: finding("deadlock") | has_frame("waits"; "main"; {{line joins}})
 * EXPECT-REPORT: worker_died.c:{{line waits}}
 */
#include <unistd.h>

#include "lib/show.h"

static struct job {
	pthread_mutex_t lock;
	pthread_cond_t ready;
	int bytes; /* -1: not yet */
	pthread_t helper;
} job = { .lock = PTHREAD_MUTEX_INITIALIZER, .ready = PTHREAD_COND_INITIALIZER, .bytes = -1 };

static int await_input(void)
{
	pthread_mutex_lock(&job.lock);
	while (job.bytes < 0)
		pthread_cond_wait(&job.ready, &job.lock); /* line: waits */
	int bytes = job.bytes;
	pthread_mutex_unlock(&job.lock);
	return bytes;
}

static void *helper(void *unused)
{
	show_thread("helper");
	await_input();
	return unused;
}

static void *worker(void *input)
{
	char buffer[16];

	job.helper = thread_start(helper, NULL);
	ssize_t got = read(*(int *)input, buffer, sizeof buffer); /* it is cancelled here */
	pthread_mutex_lock(&job.lock);
	job.bytes = (int)got;
	pthread_cond_signal(&job.ready);
	pthread_mutex_unlock(&job.lock);
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
	pthread_join(job.helper, NULL); /* line: joins */
	return 0;
}
