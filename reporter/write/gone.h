/*
 * Threads that a report speaks of though its snapshot has them no longer: they have ended, and their places in the
 * recording are free or somebody else's. What is left of them is what findings noted.
 *
 * Context: reporter. Memory is the report's arena.
 */
#ifndef WH_WRITE_GONE_H
#define WH_WRITE_GONE_H

#include "reporter/write/accounts.h"
#include "reporter/write/objects.h"

struct gone_thread {
	thread_id id;
	int32_t tid;      /* 0: not known */
	const char *name; /* up to REC_NAME_BYTES, with no NUL where it has all of them; NULL: not known */
};

struct gone_threads {
	struct gone_thread *at; /* in the order of their ids */
	uint32_t count;
};

/* Of the threads that findings name, and those that hold one of the report's objects. Return: 0 or -ENOMEM. */
int gone_threads_find(const struct names *names, const struct accounts *accounts,
		      struct gone_threads *ret_gone);

#endif
