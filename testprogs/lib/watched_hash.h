/*
 * uthash's HASH_ITER, made known to whoholds by two macros: an example of how to
 * annotate a container that one did not write. The program that uses them is testprogs/watched_hash.c.
 *
 *   WATCHED_ITER(hh, users, user, next)      for HASH_ITER(hh, users, user, next)
 *           use(user);
 *   WATCHED_CHANGE(users, HASH_ADD_INT(users, id, user));      for HASH_ADD_INT(users, id, user);
 *
 * The iterator ends with the loop, whatever way that is left: by break, return, goto or thread cancellation.
 * HASH_ITER allows that the loop deletes the entry it is at: inside of it, WATCHED_DELETE says so.
 */
#ifndef TESTPROGS_WATCHED_HASH_H
#define TESTPROGS_WATCHED_HASH_H

#include <uthash.h>

#include "whoholds.h"

struct watched_iter {
	int done;
};

static inline void watched_iter_end(struct watched_iter *iter)
{
	wh_iter_close(iter);
}

/* What names the container is where its head pointer is kept: the head itself changes with the first entry. */
#define WATCHED_ITER(hh, head, entry, next) \
	for (struct watched_iter watched_iter __attribute__((cleanup(watched_iter_end))) = \
		 (wh_iter_open(&(head), &watched_iter, #head), (struct watched_iter){ 0 }); \
	     !watched_iter.done; watched_iter.done = 1) \
		HASH_ITER (hh, head, entry, next)

#define WATCHED_CHANGE(head, change) \
	do { \
		wh_container_changing(&(head)); \
		change; \
	} while (0)

#define WATCHED_DELETE(head, entry) \
	do { \
		wh_iter_changing(&watched_iter); \
		HASH_DEL(head, entry); \
	} while (0)

#endif
