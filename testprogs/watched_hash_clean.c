/*
 * Loops over a hash that add what is new when they are over, and delete the entry that they are at.
 *
 * RUN: whoholds run %prog
 * KINDS: none
 * EXPECT-STDOUT: 8 sessions
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
	WATCHED_CHANGE(sessions, HASH_ADD_INT(sessions, id, session));
}

int main(void)
{
	struct session *session, *next;
	int wanted = 0;

	for (int id = 1; id <= 8; id++)
		session_add(id);
	WATCHED_ITER(hh, sessions, session, next)
	{
		if (session->id == 3)
			wanted = 100;
		if (session->id == 5) {
			WATCHED_DELETE(sessions, session);
			free(session);
		}
	}
	session_add(wanted);
	printf("%u sessions\n", HASH_COUNT(sessions));
	WATCHED_ITER(hh, sessions, session, next)
	{
		WATCHED_DELETE(sessions, session);
		free(session);
	}
	return 0;
}
