/*
 * Objects with two locks each. One function takes the first and then the second, another the other way
 * round; but no object ever met both.
 *
 * Hard because no two locks were taken in both orders: only their kinds were.
 *
 * KINDS: lock-order
 * EXPECT-JSON: finding("lock-order") | has_frame("acquired"; "session_read"; {{line read}})
 * EXPECT-JSON: finding("lock-order") | has_frame("acquired"; "session_close"; {{line close}})
 */
#include <stdlib.h>

#include "lib/show.h"

struct session {
	long number;
	pthread_mutex_t in, out;
};

static __attribute__((noinline)) struct session *session_new(void)
{
	struct session *session = calloc(1, sizeof *session);

	pthread_mutex_init(&session->in, NULL);
	pthread_mutex_init(&session->out, NULL);
	return session;
}

static void session_read(struct session *session)
{
	pthread_mutex_lock(&session->in);
	pthread_mutex_lock(&session->out); /* line: read */
	pthread_mutex_unlock(&session->out);
	pthread_mutex_unlock(&session->in);
}

static void session_close(struct session *session)
{
	pthread_mutex_lock(&session->out);
	pthread_mutex_lock(&session->in); /* line: close */
	pthread_mutex_unlock(&session->in);
	pthread_mutex_unlock(&session->out);
}

static void *reader(void *session)
{
	session_read(session);
	return NULL;
}

static void *closer(void *session)
{
	session_close(session);
	return NULL;
}

int main(void)
{
	struct session *sessions[2];

	for (int i = 0; i < 2; i++)
		sessions[i] = session_new();
	pthread_t threads[] = { thread_start(reader, sessions[0]), thread_start(closer, sessions[1]) };
	for (int i = 0; i < 2; i++) {
		pthread_join(threads[i], NULL);
		free(sessions[i]);
	}
	return 0;
}
