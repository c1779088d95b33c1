#include "reporter/cli/asking.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "reporter/cli/complain.h"
#include "reporter/recording/process.h"

/* Its reporter thread begins at once, unless the process is stopped or the machine has no time for it. */
#define BEGIN_LIMIT (10 * NSEC_PER_SEC)
#define POLL_NS (10 * (long)NSEC_PER_MSEC)

bool asking_alive(const struct rec_header *header)
{
	return process_of(header) != 0 &&
	       atomic_load_explicit(&header->state, memory_order_relaxed) == REC_RUNNING;
}

const char *asking_unable(const struct rec_header *header, const char *without_blocks,
			  const char *without_reporter)
{
	if (header->flags & REC_ALLOC_OFF)
		return without_blocks;
	return header->degraded & REC_NO_REPORTER ? without_reporter : NULL;
}

int asking_wait(struct reader *reader, pid_t pid, uint32_t number,
		struct progress (*progress)(const struct rec_header *header))
{
	const struct timespec moment = { .tv_nsec = POLL_NS };
	nsec_t from = process_now();
	for (;;) {
		struct rec_header header;
		if (reader_glance(reader, &header) != 0) {
			complain("%s", reader->error);
			return EXIT_FAILED;
		}
		struct progress now = progress(&header);
		if ((int32_t)(now.done - number) >= 0)
			return 0;
		if (!asking_alive(&header)) {
			complain("process %d ended before it had answered", pid);
			return EXIT_FAILED;
		}
		if ((int32_t)(now.begun - number) < 0 && process_now() - from > BEGIN_LIMIT) {
			complain("process %d does not answer: its reporter thread %s", pid,
				 header.flags & REC_REPORTER_RUNS ? "gets no time, or the process is stopped"
								  : "starts with its first blocking call or "
								    "second thread, and there was none yet");
			return EXIT_FAILED;
		}
		nanosleep(&moment, NULL);
	}
}

const char *asking_reason(int32_t error)
{
	switch (error) {
	case -ETIMEDOUT:
	case -EINPROGRESS:
		return "it took too long, or its image was killed";
	case -ENOMEM:
		return "there is too little memory for it";
	case -ECANCELED:
		return "the process ends, or changes its credentials, just now";
	default:
		return strerror(-error);
	}
}
