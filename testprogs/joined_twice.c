/*
 * Threads are joined and detached when there is nothing left to join: twice, after a detach, by two at once, and
 * one by itself. libc refuses most of it; nobody looks at the answer.
 *
 * Hard because what a second join names is gone: the pthread_t is an address, and may be another thread's by then.
 *
 * KINDS: released-twice
 * EXPECT: error released-twice: thread 1 "main" joined thread 2 "once", which it had joined already in join_first
 * EXPECT: joined thread 3 "left-alone", which it had detached already in
 * EXPECT: detached thread 3 "left-alone", which it had detached already in
 * EXPECT: joined thread 4 "born-detached", which had been made detached
 * EXPECT: error released-twice: thread 5 "lonely" tried to join itself, in join_own
 * EXPECT: joined in
 * EXPECT: had joined it before in
 * EXPECT: "once" was made in
 * EXPECT-JSON: finding("released-twice") | has_frame("released-again"; "main"; {{line joins again}}) and has_frame("released"; "join_first"; {{line joins}}) and has_frame("opened"; "start"; {{line creates}})
 * EXPECT-JSON: finding("released-twice") | has_frame("released-again"; "join_own"; {{line joins itself}})
 * EXPECT-JSON: [finding("released-twice").title] | unique | length == 5
 * EXPECT-STDOUT: once again: ESRCH
 * EXPECT-STDOUT: detached: EINVAL
 * EXPECT-STDOUT: detached again: EINVAL
 * EXPECT-STDOUT: made detached: EINVAL
 * EXPECT-STDOUT: itself: EDEADLK
 * EXPECT-STDOUT: ended: E
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/show.h"

static pthread_barrier_t begun;
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void say(const char *what, int error)
{
	printf("%s: %s\n", what, strerrorname_np(error));
}

static void *once(void *unused)
{
	show_thread("once");
	return unused;
}

static void *stays(void *name)
{
	show_thread(name);
	pthread_barrier_wait(&begun);
	pthread_mutex_lock(&gate);
	pthread_mutex_unlock(&gate);
	return NULL;
}

static void join_own(void)
{
	say("itself", pthread_join(pthread_self(), NULL)); /* line: joins itself */
}

static void *lonely(void *unused)
{
	show_thread("lonely");
	join_own();
	return unused;
}

static pthread_t start(void *(*routine)(void *), void *argument, bool detached)
{
	pthread_attr_t attributes;
	pthread_t thread;

	pthread_attr_init(&attributes);
	if (detached)
		pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	if (pthread_create(&thread, &attributes, routine, argument)) /* line: creates */
		exit(1);
	return thread;
}

static void join_first(pthread_t thread)
{
	pthread_join(thread, NULL); /* line: joins */
}

int main(void)
{
	show_thread("main");
	pthread_barrier_init(&begun, NULL, 2);
	pthread_t thread = start(once, NULL, false);
	join_first(thread);
	say("once again", pthread_join(thread, NULL)); /* line: joins again */

	pthread_mutex_lock(&gate);
	thread = start(stays, "left-alone", false);
	pthread_barrier_wait(&begun);
	pthread_detach(thread);
	say("detached", pthread_join(thread, NULL));
	say("detached again", pthread_detach(thread));
	pthread_t other = start(stays, "born-detached", true);
	pthread_barrier_wait(&begun);
	say("made detached", pthread_join(other, NULL));
	join_first(start(lonely, NULL, false));
	pthread_mutex_unlock(&gate);

	/* They end, and libc keeps what they were for the next ones. */
	sleep_ms(300);
	say("ended", pthread_join(thread, NULL));
	return 0;
}
