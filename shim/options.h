/*
 * The options in force. One table (options.def); parsed the same way in the
 * library (from WHOHOLDS_OPTIONS, mistakes are one line of warning and the default)
 * and in the command (mistakes are errors).
 *
 * Context: signal to read; init to set in the library.
 */
#ifndef WH_OPTIONS_H
#define WH_OPTIONS_H

#include "base/context.h"
#include "base/text.h"
#include "base/types.h"

#define OPTION_TEXT_BYTES 512

/* The option `spans` counts in these: a ten-thousandth of a percent. */
#define SPANS_WHOLE 1000000u

enum option_alloc { ALLOC_EXACT, ALLOC_SAMPLE, ALLOC_OFF };

struct options {
	enum option_alloc alloc;
	uint64_t sample_bytes;
	uint64_t check_kept_bytes;
	bool check_heap, locks, iterators, descriptors, mappings, children, keep;
	unsigned depth;
	unsigned verify_stacks; /* 0: none are compared */
	nsec_t tick;
	nsec_t blocked, held, iterating, idle_blocked; /* 0: off */
	uint32_t spans;                                /* of SPANS_WHOLE iterations; 0: none */
	nsec_t iteration_slow, iteration_slow_for;     /* 0: off */
	uint64_t heap_growth_rate;                     /* bytes a second; 0: off */
	nsec_t heap_growth_for;
	unsigned thread_growth_percent; /* 0: off */
	nsec_t thread_growth_in;
	nsec_t growth;            /* 0: off */
	uint64_t rss_growth_rate; /* bytes a second; 0: off */
	nsec_t rss_growth_for;
	unsigned fragmentation_percent; /* 0: off */
	nsec_t fragmentation_in;
	bool trim, possible_leaks;
	bool leaks_at_exit;
	nsec_t leaks_every; /* 0: not while it runs */
	uint64_t pointer_mask,
	    pointer_xor; /* as well as it stands a word counts as (word & mask) ^ xor; 0 and 0: not */
	uint64_t max_memory_bytes;   /* 0: by percent */
	unsigned max_memory_percent; /* 0 with bytes 0: off */
	unsigned max_overhead_percent;
	unsigned stack_depth; /* percent; 0: off */
	char log[OPTION_TEXT_BYTES], json[OPTION_TEXT_BYTES], action[OPTION_TEXT_BYTES],
	    pairs[OPTION_TEXT_BYTES];
};

extern HIDDEN struct options options;

/* The defaults. */
void options_init(struct options *into);

/*
 * Sets one option. Return: 0, or -ENOENT (no such key), -EINVAL, -ERANGE (bad value) with a
 * message in `ret_error` that names the key, the value and what is allowed; `into` is untouched then.
 */
int options_set(struct options *into, const char *key, const char *value, struct text *ret_error);

/*
 * Sets from "key=value:key=value". Goes on after a mistake; the number of mistakes is returned
 * and each is passed to `complain`. A value with ':' in it (a path, exec:COMMAND) goes on to the
 * next ':' that is followed by a known key and '='.
 */
int options_parse(struct options *into, const char *list, void (*complain)(const char *message));

/* The options that differ from the defaults, as options_parse reads them. */
void options_write(const struct options *from, struct text *text);

/* The table, for help and completion. Ends with a NULL name. */
struct option_entry {
	const char *name, *type, *standard, *accepts, *sentence;
};
extern HIDDEN const struct option_entry option_table[];

#endif
