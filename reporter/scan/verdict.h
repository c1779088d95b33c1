/*
 * A verdict is what a scan has found out: what is lost, by site; what became of open resources; and in the
 * first of two looks, which blocks are suspect. It lies in memory that a copy of the process shares with the
 * process that it was copied from.
 *
 * One owner. Context: reporter, or hook at the end of the process.
 */
#ifndef WH_REPORTER_SCAN_VERDICT_H
#define WH_REPORTER_SCAN_VERDICT_H

#include "reporter/finding.h"
#include "reporter/scan/ghosts.h"
#include "reporter/scan/group.h"
#include "reporter/scan/image.h"
#include "reporter/scan/lost.h"
#include "reporter/scan/mappings.h"
#include "reporter/scan/orphans.h"

/* A block that nothing led to, and what tells it from another one that takes its place later. */
struct suspect {
	uint64_t address;
	site_id site;
	uint32_t born;
};

struct verdict {
	int error;      /* 0: all of it was judged; -EINPROGRESS: it did not get to the end */
	uint64_t bytes; /* of the mapping */
	struct group *groups;
	uint64_t group_count, group_room; /* room for one a site */
	struct group *inner; /* what is held by its middle (interior.h), where that is asked for */
	uint64_t inner_count, inner_room;
	int inner_error;          /* why that could not be said, though all else was */
	uint64_t *resources;      /* the verdict on each: see resources.h */
	struct suspect *suspects; /* ascending; behind them, likewise, those that are held by their middle */
	uint64_t suspect_count, suspect_room, inner_suspect_count;
	struct orphans orphans;
	struct ghosts ghosts;
	struct lost_mappings mappings;
	struct lost_resources lost; /* of an image of a running process, with all of its threads known */
	/* In place of all that: bytes in lost blocks that were made in this era or later; 0: in none in particular. */
	uint32_t lost_from;
	uint64_t lost_bytes;
	/* What it was made from. */
	uint64_t block_count, block_bytes, read_bytes;
	uint64_t memory; /* bytes that it took; of a copy of the process alone */
	nsec_t cpu;      /* for those who run it in a process of its own */
};

/*
 * Room for what can be said about `snapshot`; `suspect_room` is 0 where no second look will follow. Address
 * space that takes memory as it is touched. Return: NULL: there is none.
 */
struct verdict *verdict_make(const struct snapshot *snapshot, uint64_t suspect_room);
void verdict_free(struct verdict *verdict);

/*
 * Takes the image, marks, and fills in the verdict: groups of what is lost, and as suspects as many of these blocks as there is
 * room for. Those alone count that were suspects `before`, unless that is NULL. Releases the image. A fault while it reads
 * leaves -EFAULT, and memory behind that goes with the process.
 */
void verdict_reach(struct verdict *verdict, struct image *image, const struct verdict *before);

/* What is to be said of every finding. */
struct verdict_manner {
	enum finding_kind kind; /* leak, or possible-leak where something could not be read */
	uint32_t flags;         /* enum finding_flag */
	uint64_t unread;        /* registers that nobody has read: see verdict_unread */
};

/*
 * How many registers other threads may keep blocks in, where none of them was read. What is no more than
 * that of a site may be lost or not, so nothing is said of it. Context: reporter, or hook at the end of the process.
 */
uint64_t verdict_unread(void);

/* Adds a finding for each group to `list`. */
void verdict_report(const struct verdict *verdict, const struct snapshot *snapshot,
		    struct verdict_manner manner, struct finding_list *list);

/* Notes in the recording why there is no verdict. Return: the bit (enum rec_degraded). */
uint32_t verdict_degrade(int error);

#endif
