/*
 * Asking a running process: a command enters a request into the header of its recording (reader_ask_*), and the
 * process's reporter thread answers it. What `whoholds leaks` and `whoholds why` have in common.
 *
 * Context: offline.
 */
#ifndef WH_CLI_ASKING_H
#define WH_CLI_ASKING_H

#include <stdbool.h>
#include <sys/types.h>

#include "reporter/recording/reader.h"

/* How far the process is, of one sort of request; the numbers go around one day. */
struct progress {
	uint32_t begun, done;
};

/* Whether the process of that recording runs. */
bool asking_alive(const struct rec_header *header);

/*
 * Why the process can't be asked about its memory; NULL: it can. Where no allocations are recorded, or there is no
 * reporter thread, the answer is the sentence given for that; both go on from "process N".
 */
const char *asking_unable(const struct rec_header *header, const char *without_blocks,
			  const char *without_reporter);

/*
 * Waits until request `number` to process `pid` has been answered, as `progress` reads it out of the header; for ten
 * seconds at the most where it is not even begun with. Return: 0, or an exit code after a message.
 */
int asking_wait(struct reader *reader, pid_t pid, uint32_t number,
		struct progress (*progress)(const struct rec_header *header));

/* What an answer's error (-errno) means, where all sorts of requests mean the same by it. */
const char *asking_reason(int32_t error);

#endif
