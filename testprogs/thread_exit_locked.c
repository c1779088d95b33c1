/*
 * A thread takes a lock, meets an error, and ends without giving it back.
 *
 * RUN: whoholds run --set blocked=1s %prog
 * TIMEOUT: 20
 * KINDS: held-at-exit
 * EXPECT: error held-at-exit:
 * EXPECT: "forgetful"
 * EXPECT: thread_exit_locked.c:{{line takes}}
 * EXPECT-JSON: finding("held-at-exit") | has_thread({{tid forgetful}})
 * EXPECT-JSON: finding("held-at-exit") | has_frame("acquired"; "update"; {{line takes}})
 * EXPECT-JSON: finding("held-at-exit") | has_frame("created"; "main"; {{line creates}})
 * EXPECT-JSON: finding("held-at-exit") | has_object("mutex"; "{{addr state}}")
 * EXPECT-JSON: [finding("held-at-exit")] | length == 1
 */
#include "lib/show.h"

static pthread_mutex_t state = PTHREAD_MUTEX_INITIALIZER;
static int value;

static int update(int by)
{
	pthread_mutex_lock(&state); /* line: takes */
	if (by < 0)
		return -1;
	value += by;
	pthread_mutex_unlock(&state);
	return 0;
}

static void *forgetful(void *unused)
{
	show_thread("forgetful");
	update(1);
	update(-1);
	return unused;
}

int main(void)
{
	show_addr("state", &state);
	pthread_t thread = thread_start(forgetful, NULL); /* line: creates */
	pthread_join(thread, NULL);
	return 0;
}
