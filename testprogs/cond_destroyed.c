/*
 * A queue is taken down with a thread asleep in it: the condition variable is destroyed, and libc waits until the
 * sleeper has left, which nobody tells it to do.
 *
 * HANGS: yes
 * TIMEOUT: 40
 * TWIN: cond_two_mutexes_clean
 * KINDS: destroyed-in-use deadlock?
 * EXPECT: error destroyed-in-use: thread 1 "main" destroyed condition filled while thread 2 "receiver" waited for it
 * EXPECT-JSON: finding("destroyed-in-use") | has_frame("destroyed"; "main"; {{line destroys}}) and has_frame_of("waits"; {{tid receiver}}; "receiver"; {{line sleeps}})
 */
#include "lib/show.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t filled = PTHREAD_COND_INITIALIZER;
static int count;

static void *receiver(void *unused)
{
	show_thread("receiver");
	pthread_mutex_lock(&lock);
	while (!count)
		pthread_cond_wait(&filled, &lock); /* line: sleeps */
	pthread_mutex_unlock(&lock);
	return unused;
}

int main(void)
{
	pthread_t thread = thread_start(receiver, NULL);

	sleep_ms(300);
	pthread_cond_destroy(&filled); /* line: destroys */
	pthread_join(thread, NULL);
	return 0;
}
