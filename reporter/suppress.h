/*
 * Suppressions: which findings nobody wants to hear of. One a line, "kind:pattern",
 * comments with '#'. Files of LeakSanitizer and ThreadSanitizer are read as they are
 * (suppress_names.def).
 *
 * A pattern is matched against the function (as it is shown and as the symbol table has
 * it), the source file and the module of every frame of the finding's stacks. As
 * LeakSanitizer has it, it may match anywhere in them: '^' at its start and '$' at its
 * end tie it to an end, '*' is any text, and '?' (which LeakSanitizer doesn't know) any
 * one character. "kind:*" matches every finding of the kind, also one without frames.
 *
 * Memory comes from the arena, no locking, no globals. Context: reporter.
 */
#ifndef WH_REPORTER_SUPPRESS_H
#define WH_REPORTER_SUPPRESS_H

#include "base/arena.h"
#include "base/text.h"
#include "reporter/finding.h"
#include "reporter/write/frames.h"

struct suppression {
	uint64_t kinds; /* a bit for each enum finding_kind */
	const char *pattern;
	const char *written; /* the line as it was written, without blanks around it */
	const char *file;    /* where it came from */
	unsigned line;
	uint64_t matches; /* findings that it suppressed */
	struct suppression *next;
};

struct suppressions {
	struct arena *arena; /* set by the caller; outlives the suppressions */
	struct suppression *first, **last;
	uint32_t count;
};

void suppress_init(struct suppressions *suppressions, struct arena *arena);

/*
 * Adds the lines of `text` (`bytes` bytes, no NUL needed); `file` is said in errors. Return: 0, -ENOMEM,
 * or -EINVAL with "file:line: what is wrong, what was expected" in *ret_error; what stood before the bad
 * line is kept then, what stands behind it is not read.
 */
int suppress_load(struct suppressions *suppressions, const char *text, size_t bytes, const char *file,
		  struct text *ret_error);

/*
 * The first suppression that matches the finding, which counts it; NULL: none. `scratch` is for
 * frames, and may be reset afterwards.
 */
const struct suppression *suppress_match(struct suppressions *suppressions, const struct finding *finding,
					 const struct view *view, struct symbolizer *symbolizer,
					 struct arena *scratch);

/* The suppression behind `previous` (NULL: the first) that matched nothing so far; NULL: no more. */
const struct suppression *suppress_unused(const struct suppressions *suppressions,
					  const struct suppression *previous);

/* Whether a pattern matches a text. Context: signal. */
bool suppress_pattern_matches(const char *pattern, const char *text);

#endif
