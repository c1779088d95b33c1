/*
 * The twin: the lock is given back first. Memory is freed with other locks held, in other blocks and in none.
 *
 * KINDS: none
 */
#include "lib/session.h"

static pthread_mutex_t sessions = PTHREAD_MUTEX_INITIALIZER;

static int session_use(struct session *session, int with)
{
	pthread_mutex_lock(&session->lock);
	if (with < 0) {
		pthread_mutex_unlock(&session->lock);
		pthread_mutex_lock(&sessions);
		session_free(session);
		pthread_mutex_unlock(&sessions);
		return -1;
	}
	session->number += with;
	pthread_mutex_unlock(&session->lock);
	return 0;
}

int main(void)
{
	struct session *first = session_new(1), *second = session_new(2);
	session_use(first, 1);
	session_use(second, -1);
	session_free(first);
	return 0;
}
