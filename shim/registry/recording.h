/*
 * The recording as its writer sees it: made at start, grown as tables fill.
 * Readers outside use registry/view.h. See registry/format.h for the layout.
 */
#ifndef WH_REGISTRY_RECORDING_H
#define WH_REGISTRY_RECORDING_H

#include "base/context.h"
#include "registry/format.h"
#include "registry/view.h"

/* The live recording's tables; NULL header before recording_open. Context: signal. */
extern HIDDEN struct rec_header *recording;

/* The live recording as a view, for snapshots, detectors and the scan. */
const struct view *recording_view(void);

/* Start of each table in memory, once there is a recording. */
extern HIDDEN void *recording_tables[REC_TABLES];
void *recording_table(enum rec_table_id table);

/* The record of a stack that the depot of this process gave out; not 0. */
static inline struct rec_stack *recording_stack(stack_id stack)
{
	return (struct rec_stack *)((char *)recording_tables[REC_STACKS] + (uint64_t)stack * 8);
}

/*
 * Where recordings go ("" or NULL: the default directories) and the run that the process belongs
 * to; kept for fork children, whose program may have cleared its environment. Context: init.
 */
void recording_configure(const char *directory, const char *run);

/*
 * In a fork child: lets go of the parent's recording, whose mapping is shared with it. Until the next
 * recording_open there is none. Context: hook.
 */
void recording_fork_child(void);

/*
 * Makes this process's recording: a file in the directory for recordings, or where that can't be
 * had (one line of warning) a private one that others can read through /proc alone. It is
 * found by nobody before recording_publish.
 * Return: 0, or -ENOMEM: nothing at all can be recorded.
 *
 * Context: init, or hook in a fork child.
 */
int recording_open(void);

/*
 * Once the calling thread is in it, the recording is a whole one: it gets its name, NAME.PID.whr. Who is killed
 * earlier leaves none, and not one without threads.
 *
 * Context: init, or hook in a fork child.
 */
void recording_publish(void);

/*
 * Makes sure that `bytes` bytes from the start of the table may be written, reserving space in
 * steps. Return: false where there is none left; nothing is counted.
 *
 * Context: hook (a system call once in a while; no lock that is held while asleep).
 */
bool recording_reserve(enum rec_table_id table, uint64_t bytes);

/*
 * Room for `bytes` (rounded up to 8) at the end of an append-only table, reserved but not yet
 * covered by an id that others know. UINT64_MAX where there is no room
 * (counted as lost). Lock-free: concurrent callers get different ranges, and `used` moves over
 * them as soon as space is claimed, so an entry must be valid while it is all zero.
 *
 * Context: hook.
 */
uint64_t recording_append(enum rec_table_id table, uint64_t bytes);

/* Counts one entry that found no room in `table`. Context: signal. */
void recording_lost(enum rec_table_id table);

/*
 * Interns a string (at most 4095 bytes are kept). The same text gives the same id most of the
 * time; 0 for NULL, "" and where there is no room. Context: hook.
 */
text_id recording_text(const char *text);

/* Sets a bit of enum rec_degraded. Context: signal. */
void recording_degrade(uint32_t bit);

/* The path of the file; "" for a private recording. Context: signal. */
const char *recording_path(void);

/* Removes the file (not the mapping): nothing was found and nobody wants to keep it. Context: hook. */
void recording_unlink(void);

/*
 * Around exec: a recording with nothing to report is renamed to .PID.exec, which the next program
 * of this process removes when it makes its own; where exec fails it gets its name back. Context: hook.
 */
void recording_hide(void);
void recording_unhide(void);

#endif
