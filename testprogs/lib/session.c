#include "lib/session.h"

#include <stdlib.h>

struct session *session_new(int number)
{
	struct session *session = malloc(sizeof *session);

	if (!session)
		abort();
	session->number = number;
	pthread_mutex_init(&session->lock, NULL);
	pthread_cond_init(&session->changed, NULL);
	return session;
}

void session_free(struct session *session)
{
	pthread_mutex_destroy(&session->lock);
	pthread_cond_destroy(&session->changed);
	free(session);
}
