/*
 * Marking: which blocks can be reached from the roots. Conservative: any aligned
 * word whose value lies inside a block keeps that block alive, and so does what
 * the block holds in its turn. No recursion; each block is read once.
 *
 * Blocks that were reached wait for being read in a queue, which is short. When it is full, as it soon is in a large heap, all that
 * were reached are read in the order of their addresses, in sweeps over the heap, for as long as it pays: next to each other they cost a
 * third of what they cost at random, where each is a miss of the translation cache.
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
 * What a word points into takes some looks at memory that is hardly ever in the cache: the line, the block's flags or what is known of it,
 * the block. So words go through a queue before each, and what they need is fetched when they enter it.
 */
#define MARK_QUEUE 16u

struct mark_word {
	uint64_t word; /* 0: none; no block is there */
	uint64_t start;
	uint32_t number; /* of the block that starts at `start`; BLOCK_NONE: it is to be searched for */
};

struct mark_queue {
	struct mark_word at[MARK_QUEUE];
	uint32_t turn;
};

/* A block that is to be read. */
struct mark_pending {
	uint64_t start;
	uint32_t number;
	bool used;
};

struct mark;
struct numbers;
struct extent;
struct extents;

/*
 * Told of each word that points to a block, in place of marking: block number `block`, where that starts, and where the
 * word is (0: in no memory).
 */
typedef void mark_seen(struct mark *mark, uint32_t block, uint64_t start, uint64_t place);

/* Marks what is in a mapping that was reached. */
typedef void mark_extent(struct mark *mark, const struct extent *extent, void *data);

/*
 * Whether a word that points into the middle of a block keeps it alive: block `number`, which starts at `start`; `data`: accepts_data.
 */
typedef bool mark_accepts(const struct blocks *blocks, uint32_t number, uint64_t start, uint64_t word,
			  const void *data);

/* Given all words as they come, in place of anything else; whether one of libc's is bookkeeping is for it to ask. */
typedef void mark_seek(struct mark *mark, const uint64_t *words, uint64_t count, enum mark_of of);

struct mark {
	struct blocks *blocks;
	mark_seen *seen;       /* NULL: mark */
	mark_seek *seek;       /* NULL: mark */
	void *seek_data;       /* its own */
	mark_accepts *accepts; /* NULL: every word does */
	const void *accepts_data;
	struct numbers *numbers; /* looked for in all that is read while marking; NULL: none are */
	struct extents *extents; /* likewise; those that were reached are read in their turn */
	mark_extent *read_extent;
	void *extent_data; /* of read_extent's own */
	uint64_t shift;    /* for `seen`: from where a word is read to where it is, where it was copied */
	struct mark_queue at_line, at_flags, inside, in_record;
	struct mark_pending to_fetch[MARK_QUEUE], to_read[MARK_QUEUE];
	uint32_t read_turn;
	struct mark_pending *pending; /* a ring of a power of two */
	uint64_t pending_first, pending_count, pending_room;
	uint64_t
	    waiting;   /* blocks that found no room in it: those with BLOCK_REACHED and without BLOCK_READ */
	bool sweeping; /* takes those as `walk` meets them */
	bool upward;   /* the newest sweep; they go in turns, since lists often lead one way */
	struct block_walk walk;
	uint64_t read_words;      /* in all */
	bool count_bytes;         /* keep the next one, at the price of a look at each block's record */
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

/* What a word points into is reached. */
void mark_word(struct mark *mark, uint64_t word);

/* What any of `count` words points into is reached. */
void mark_words(struct mark *mark, const uint64_t *words, uint64_t count, enum mark_of of);

/*
 * Whether `word`, which points into block `number` at `start`, does not keep it alive: libc's own note of an open stream, or
 * of the free memory behind the block.
 */
bool mark_is_bookkeeping(const struct blocks *blocks, uint32_t number, uint64_t start, uint64_t word,
			 enum mark_of of);

/* Reads what was reached until nothing is new; blocks with BLOCK_RESOURCE as MARK_OF_STREAM, mappings by read_extent. */
void mark_run(struct mark *mark);

#endif
