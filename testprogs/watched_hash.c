/*
 * A worked example: uthash's HASH_ITER annotated by two macros (lib/watched_hash.h). A session that is
 * looked at in a loop over all of them brings a new one, in a function that knows nothing of the loop; and
 * one loop is left by a return.
 *
 * RUN: whoholds run %prog
 * TIMEOUT: 20
 * KINDS: iterator-mutation
 * EXPECT: error iterator-mutation: thread 1 "main" changed what it was iterating over itself, with iterator "sessions" opened in greet_all
 * EXPECT-JSON: finding("iterator-mutation") | has_frame("changed"; "session_add"; {{line adds}}) and has_frame("changed"; "greet_all"; {{line greets}}) and has_frame("opened"; "greet_all"; {{line iterates}})
 * EXPECT-STDOUT: 9 sessions greeted 6
 */
#include <stdio.h>
#include <stdlib.h>

#include "lib/watched_hash.h"

struct session {
	int id;
	UT_hash_handle hh;
};

static struct session *sessions;

static void session_add(int id)
{
	struct session *session = calloc(1, sizeof *session);

	session->id = id;
	WATCHED_CHANGE(sessions, HASH_ADD_INT(sessions, id, session)); /* line: adds */
}

static void greet(const struct session *session)
{
	if (session->id == 3)
		session_add(100);
}

static int greet_all(void)
{
	struct session *session, *next;
	int count = 0;

	WATCHED_ITER(hh, sessions, session, next) /* line: iterates */
	{
		greet(session); /* line: greets */
		if (++count == 6)
			break;
	}
	return count;
}

static const struct session *find_even(void)
{
	struct session *session, *next;

	WATCHED_ITER(hh, sessions, session, next)
	{
		if (session->id % 2 == 0)
			return session;
	}
	return NULL;
}

int main(void)
{
	for (int id = 1; id <= 8; id++)
		session_add(id);
	int greeted = greet_all();
	printf("%u sessions greeted %d\n", HASH_COUNT(sessions), greeted);
	if (!find_even())
		return 1;
	session_add(101); /* Nobody iterates any more. */

	struct session *session, *next;
	WATCHED_ITER(hh, sessions, session, next)
	{
		WATCHED_DELETE(sessions, session);
		free(session);
	}
	return 0;
}
