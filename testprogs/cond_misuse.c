/*
 * Conditions waited for without holding the mutex: in one place nobody does, in another one a thread other than the
 * one that waits. A wake-up that comes between the look at the state and the wait is lost.
 *
 * KINDS: cond-misuse not-owner-unlock? held-at-exit?
 * EXPECT: error cond-misuse: thread 1 "main" waited for condition filled with mutex queue, which nobody held
 * EXPECT: error cond-misuse: thread 2 "other" waited for condition filled with mutex list, which thread 1 "main" held
 * EXPECT-JSON: finding("cond-misuse") | has_frame("waits"; "waits_without"; {{line without}})
 * EXPECT-JSON: finding("cond-misuse") | has_frame("waits"; "other"; {{line others}})
 * EXPECT-JSON: finding("cond-misuse") | has_frame("acquired"; "main"; {{line takes}})
 * EXPECT-JSON: finding("cond-misuse") | has_object("cond"; "{{addr filled}}")
 * EXPECT-JSON: finding("cond-misuse") | has_object("mutex"; "{{addr queue}}")
 */
#include <time.h>

#include "lib/check.h"
#include "lib/show.h"

static pthread_mutex_t queue = PTHREAD_MUTEX_INITIALIZER, list = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t filled = PTHREAD_COND_INITIALIZER;

static void waits_without(void)
{
	struct timespec until = check_in_ms(CLOCK_REALTIME, 20);
	pthread_cond_timedwait(&filled, &queue, &until); /* line: without */
	pthread_mutex_unlock(&queue);
}

static void *other(void *unused)
{
	show_thread("other");
	struct timespec until = check_in_ms(CLOCK_REALTIME, 20);
	pthread_cond_timedwait(&filled, &list, &until); /* line: others */
	return unused;
}

int main(void)
{
	show_addr("filled", &filled);
	show_addr("queue", &queue);
	waits_without();
	pthread_mutex_lock(&list); /* line: takes */
	pthread_t thread = thread_start(other, NULL);
	pthread_join(thread, NULL);
	return 0;
}
