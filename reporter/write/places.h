/*
 * The places that the reporter thread has found locks in (reporter/places.h), in words.
 *
 * Context: reporter. Memory is the report's arena.
 */
#ifndef WH_WRITE_PLACES_H
#define WH_WRITE_PLACES_H

#include "reporter/write/names.h"

/*
 * What is known of a place (view_place): a name that no other lock has, or what it lies in, as others may:
 *
 *	*ret_name   `lock of thread 3 "worker" (thread-local, prog cache.c:12)`
 *		    `locks[1] in the frame of work, thread 3 "worker" (prog.c:31)`
 *		    `+64 in /dev/shm/queue`
 *	*ret_where  `+16 in a 48-byte block from new_cache cache.c:31`
 *		    `on the stack of thread 1 "main", in the frame of main`
 *
 * The other one is left as it is. Return: false: nothing is known.
 */
bool place_name(struct names *names, uint32_t place, const char **ret_name, const char **ret_where);

#endif
