/*
 * Sessions are freed by a thread that holds nothing, while others have their lock, or sleep until they change: one
 * that was initialised by a call, one that was made by a copy of a static initialiser, and one that is waited for.
 *
 * Hard because the thread that frees has nothing to do with the lock, and nearly no free has.
 *
 * RUN: whoholds run --set tick=10ms %prog
 * TIMEOUT: 20
 * KINDS: destroyed-in-use
 * EXPECT: error destroyed-in-use: thread 1 "main" freed the memory of mutex
 * EXPECT: while thread 2 "uses-1" held it
 * EXPECT: while thread 3 "uses-2" held it
 * EXPECT: freed the memory of condition
 * EXPECT: while thread 4 "sleeps" waited for it
 * EXPECT-JSON: [finding("destroyed-in-use").title] | unique | length == 3
 * EXPECT-JSON: finding("destroyed-in-use") | has_frame("destroyed"; "main"; {{line frees}}) and has_frame("acquired"; "use"; {{line takes}})
 * EXPECT-JSON: finding("destroyed-in-use") | has_frame("destroyed"; "main"; {{line frees another}}) and has_frame("acquired"; "use"; {{line takes}})
 * EXPECT-JSON: finding("destroyed-in-use") | has_frame("destroyed"; "main"; {{line frees under a sleeper}}) and has_frame("waits"; "sleeps"; {{line sleeps}})
 */
#include <stdlib.h>
#include <unistd.h>

#include "lib/session.h"
#include "lib/show.h"

static pthread_barrier_t in_use;

static void use(struct session *session)
{
	pthread_mutex_lock(&session->lock); /* line: takes */
	pthread_barrier_wait(&in_use);
	for (;;)
		pause();
}

static void *uses_first(void *session)
{
	show_thread("uses-1");
	use(session);
	return NULL;
}

static void *uses_second(void *session)
{
	show_thread("uses-2");
	use(session);
	return NULL;
}

static void *sleeps(void *argument)
{
	struct session *session = argument;

	show_thread("sleeps");
	pthread_mutex_lock(&session->lock);
	pthread_barrier_wait(&in_use);
	while (session->number)
		pthread_cond_wait(&session->changed, &session->lock); /* line: sleeps */
	return NULL;
}

int main(void)
{
	pthread_barrier_init(&in_use, NULL, 2);
	struct session *session = session_new(1);
	thread_start(uses_first, session);
	pthread_barrier_wait(&in_use);
	free(session); /* line: frees */

	/* Nobody is told of this lock before it is taken. */
	session = malloc(sizeof *session);
	*session = (struct session){ .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };
	thread_start(uses_second, session);
	pthread_barrier_wait(&in_use);
	sleep_ms(500);
	free(session); /* line: frees another */

	session = session_new(3);
	thread_start(sleeps, session);
	pthread_barrier_wait(&in_use);
	/* It gives the lock up when it is asleep. */
	pthread_mutex_lock(&session->lock);
	pthread_mutex_unlock(&session->lock);
	free(session); /* line: frees under a sleeper */
	return 0;
}
