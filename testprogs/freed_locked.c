/*
 * A session is removed and freed with its lock held, on the way out of an error: the block, and the locked
 * mutex in it, are the next one's.
 *
 * KINDS: destroyed-in-use
 * EXPECT: error destroyed-in-use: thread 1 "main" freed the memory of mutex
 * EXPECT: while it held it itself
 * EXPECT-JSON: finding("destroyed-in-use") | has_frame("destroyed"; "session_drop"; {{line frees}})
 * EXPECT-JSON: finding("destroyed-in-use") | has_frame("acquired"; "session_use"; {{line takes}})
 * EXPECT-JSON: [finding("destroyed-in-use")] | length == 1
 */
#include <stdlib.h>

#include "lib/session.h"

static void session_drop(struct session *session)
{
	free(session); /* line: frees */
}

static int session_use(struct session *session, int with)
{
	pthread_mutex_lock(&session->lock); /* line: takes */
	if (with < 0) {
		session_drop(session);
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
