/*
 * A reader copies the parts of a recording that mean something into memory of its
 * own, checks them, and offers them as a view. The target may be writing
 * meanwhile, be stopped, or be dead for a week; the file may be cut short,
 * damaged or made to deceive. It is read with pread and never mapped: somebody
 * may truncate it at any moment, and a mapping would answer that with SIGBUS.
 *
 *   reader_open ──▶ reader_refresh (as often as wanted) ──▶ reader_close
 *   reader_attach ──┘  └─ reader_glance: the header alone, for polling
 *
 * After an error `error` says what is wrong and what to do next, for a person;
 * the reader is closed or as it was before.
 *
 * Not thread-safe. Context: offline, all of it.
 */
#ifndef WH_RECORDING_READER_H
#define WH_RECORDING_READER_H

#include <sys/types.h>

#include "registry/view.h"

#define READER_PATH_BYTES 4096

/* Where a private recording lies in its process's memory. */
struct reader_piece {
	uint64_t offset, bytes; /* of the recording */
	uint64_t address;       /* of the process */
};

struct reader {
	struct view view;            /* of the copy; valid until the next refresh or close */
	struct rec_header header;    /* what view.header points to */
	void *copies[REC_TABLES];    /* owned */
	int fd;                      /* of the file, or of /proc/PID/mem; -1: closed */
	uint64_t size;               /* of the recording at the last look, bytes */
	pid_t memory_of;             /* the process whose memory is read; 0: a file is */
	struct reader_piece *pieces; /* of a private recording; owned */
	size_t piece_count;
	char path[READER_PATH_BYTES]; /* as opened; "/proc/PID/mem" for a private one */
	char error[READER_PATH_BYTES + 256];
};

/* What a closed reader looks like; reader_close of it does nothing. */
#define READER_CLOSED ((struct reader){ .fd = -1 })

/*
 * Opens a recording by its path and reads it. Return: 0, or a negative errno: -ENOENT, -EACCES ...
 * as open gives them, -EINVAL not a recording, -EPROTONOSUPPORT another version or machine,
 * -EBADMSG damaged or truncated, -ENOMEM.
 */
int reader_open(const char *path, struct reader *ret_reader);

/*
 * The same, but only the header and the strings are copied until the first refresh: for those who want to know whose a
 * recording is. The other tables of the view are empty.
 */
int reader_attach(const char *path, struct reader *ret_reader);

/*
 * Opens the recording that a live process is writing, wherever it is: a file in any directory (also
 * of another mount namespace, also removed meanwhile) or a private recording. Return: as above, and
 * -ESRCH no such process, -ENODATA the process runs without whoholds, -EACCES it may not be looked into.
 */
int reader_open_pid(pid_t pid, struct reader *ret_reader);
int reader_attach_pid(pid_t pid, struct reader *ret_reader);

/*
 * Copies anew. Entries that belong to others (stacks, strings, modules) are copied after those that name
 * them, so that a live recording's copy hangs together. A thread's slot that changed while it was copied is
 * copied again; where that goes on its `changes` is left odd, as snapshot_take expects of a torn one.
 */
int reader_refresh(struct reader *reader);

/* Copies the header alone, checked. The tables of the view stay those of the last refresh, and so does the view. */
int reader_glance(struct reader *reader, struct rec_header *ret_header);

/* Writes the watcher's fields of the header, so that the target lets `pid` render its alerts (0: it serves itself). */
int reader_watch(struct reader *reader, pid_t pid, uint64_t pid_ticks);

/* Tells the target that the reports it had asked for up to that number (rec_header.requests) are written. */
int reader_requests_told(struct reader *reader, uint32_t number);

/*
 * Asks the target for a search for lost memory (rec_header.scan): it is answered when `done` has come to
 * *ret_number. Return: 0 or -errno.
 */
int reader_ask_scan(struct reader *reader, uint32_t *ret_number);

/*
 * Asks the target why something is alive (rec_header.why): `what` is an enum rec_why_what, `value` what it says. Answered
 * when `done` has come to *ret_number. Return: 0 or -errno.
 */
int reader_ask_why(struct reader *reader, uint32_t what, uint64_t value, uint32_t *ret_number);

/*
 * Adds a stack that was looked up from outside to the copy, as of now, so that a report can speak of it. Return: its
 * id, until the next refresh; 0 where there is no memory or no recording.
 */
stack_id reader_add_stack(struct reader *reader, const uint64_t *frames, uint16_t count, uint16_t flags);

void reader_close(struct reader *reader);

#endif
