/*
 * Marking: which blocks can be reached from the roots. Conservative: any aligned
 * word whose value lies inside a block keeps that block alive, and so does what
 * the block holds in its turn. No recursion; each block is read once.
 *
 * One owner. Context: reporter.
 */
#ifndef WH_REPORTER_SCAN_MARK_H
#define WH_REPORTER_SCAN_MARK_H

#include "reporter/scan/blocks.h"

/* Whose words they are, where some of what they point to is bookkeeping and keeps nothing alive. */
enum mark_of {
	MARK_OF_PROGRAM,
	MARK_OF_STREAM, /* libc chains open streams: the start of another resource's block does not count */
	/*
	 * libc's data: the head of that chain; and its arena points to free chunks, whose first word is the
	 * last of the block in front of them.
	 */
	MARK_OF_LIBC,
};

/*
 * What a word points into takes three looks at memory that is hardly ever in the cache: the index, the block's entry, the block. So
 * words go through a queue before each, and what they need is fetched when they enter it.
 */
#define MARK_QUEUE 16u

struct mark_word {
	uint64_t word;
	uint32_t first; /* the index's answer, less 1 */
	bool used;
};

struct mark;

/*
 * Told of each word that points to a block, in place of marking: block number `block`, and where the word
 * is (0: in no memory).
 */
typedef void mark_seen(struct mark *mark, uint32_t block, uint64_t place);

struct mark {
	struct blocks *blocks;
	mark_seen *seen; /* NULL: mark */
	uint64_t shift;  /* for `seen`: from where a word is read to where it is, where it was copied */
	struct mark_word at_index[MARK_QUEUE], at_entry[MARK_QUEUE];
	uint32_t to_fetch[MARK_QUEUE], to_read[MARK_QUEUE]; /* blocks; + 1, 0: none */
	uint32_t index_turn, entry_turn, read_turn;
	uint32_t *pending; /* blocks that were reached and not read yet */
	uint64_t pending_count;
	uint64_t read_words;      /* in all */
	uint64_t reached_bytes;   /* of the blocks reached so far */
	uint64_t mask, exclusive; /* words count as (word & mask) ^ exclusive too; 0 and 0: they don't */
	nsec_t deadline;          /* CLOCK_MONOTONIC; 0: none */
	bool expired;             /* past it: nothing may be concluded from marks that are missing */
};

/*
 * Return: 0 or -ENOMEM. `blocks` has been indexed; it must outlive the mark.
 */
int mark_init(struct mark *mark, struct blocks *blocks, nsec_t deadline);
void mark_release(struct mark *mark);

/* Block number `block` is reached. */
void mark_block(struct mark *mark, uint32_t block);

/* What a word points into is reached. */
void mark_word(struct mark *mark, uint64_t word);

/* What any of `count` words points into is reached. */
void mark_words(struct mark *mark, const uint64_t *words, uint64_t count, enum mark_of of);

/* Reads what was reached until nothing is new; blocks with BLOCK_RESOURCE as MARK_OF_STREAM. */
void mark_run(struct mark *mark);

#endif
