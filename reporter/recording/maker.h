/*
 * A recording made outside of any target: of what the kernel tells about a process that runs
 * without whoholds, and by tests. It has the tables of a real one, so that
 * snapshots, detectors and writers work on it as on any other.
 *
 * Where memory runs out, what is put is dropped and `failed` set: check it once, at the end.
 *
 * Context: offline.
 */
#ifndef WH_RECORDING_MAKER_H
#define WH_RECORDING_MAKER_H

#include "base/context.h"
#include "registry/view.h"

struct maker {
	struct rec_header header; /* fill in what the tables don't say */
	void *tables[REC_TABLES]; /* owned */
	uint64_t room[REC_TABLES];
	struct view view; /* see maker_view */
	bool failed;
};

/* Room for `threads` threads at the most. Return: 0 or -ENOMEM. Release it in any case. */
int maker_init(struct maker *maker, uint32_t threads);

/* The next slot, zeroed but for its id, which counts up from 1, and its state (running); NULL: no room. */
struct rec_thread *maker_thread(struct maker *maker);

text_id maker_text(struct maker *maker, const char *text);
/* With NULs inside, as argv has them. */
text_id maker_bytes(struct maker *maker, const char *bytes, size_t count);

stack_id maker_stack(struct maker *maker, const uint64_t *frames, uint16_t count, uint16_t flags);
void maker_module(struct maker *maker, const struct rec_module *module);
void maker_resource(struct maker *maker, const struct rec_hold *hold);

/* A finding for the log: `bytes` bytes, a multiple of 8, the first four of which are that number. */
void maker_finding(struct maker *maker, const void *finding, uint32_t bytes);

/* What was made so far; valid until something more is put. */
const struct view *maker_view(struct maker *maker);

/* Writes it as a file, sparse as a real one. Return: 0 or a negative errno. */
int maker_save(struct maker *maker, const char *path);

void maker_release(struct maker *maker);

#endif
