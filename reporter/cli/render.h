/*
 * From a recording to reports: snapshot, findings, suppressions, writers, outputs;
 * and the account of what was found, for the exit code.
 *
 * One renderer serves a whole command, any number of processes.
 *
 * Context: offline.
 */
#ifndef WH_CLI_RENDER_H
#define WH_CLI_RENDER_H

#include <sys/types.h>

#include "reporter/cli/args.h"
#include "reporter/cli/fold.h"
#include "reporter/cli/output.h"
#include "reporter/recording/reader.h"
#include "reporter/suppress.h"

struct renderer {
	const struct args *args;
	struct output text; /* --format and --output */
	struct output json; /* --json; idle where there is none */
	bool has_json;
	bool color;
	struct symbolizer *symbolizer;
	struct arena rules_arena; /* owns the suppressions */
	struct suppressions rules;
	struct arena arena; /* of the report in the making */
	char **generated;   /* --gen-suppressions; owned */
	size_t generated_count;
	bool folding; /* equal reports of processes that have ended are told once; see fold.h */
	struct folds folds;
	bool counts; /* something was found that --error-exitcode speaks of */
	bool failed; /* a report could not be written */
};

/* What is to be told about a process. */
struct account {
	struct reader *reader; /* refreshed; its view may be refreshed again for a second look */
	pid_t pid; /* it lives under this number; 0: it has ended; -1: it lives where we can't see it */
	enum trigger trigger;
	uint32_t since; /* findings of the log up to this number have been told */
	bool quiet_end; /* write nothing as text where nothing new was found */
	bool all_threads;
	bool
	    scan; /* of a live process: only what a search for lost memory has found, and what the search took */
	const struct rec_why *why; /* of a live process: the answer, and no findings; NULL: none */
	bool has_exit_code;
	int exit_code, signal; /* of the end, where they are known */
};

/* `standard` is the descriptor for text without --output. Return: 0, or an exit code after a message. */
int renderer_init(struct renderer *renderer, const struct args *args, int standard);

/*
 * Writes the report. `ret_newest`, unless NULL, gets the number of the newest finding told; `ret_count` how many
 * the text report held. Return: 0, or EXIT_FAILED after a message.
 */
int renderer_tell(struct renderer *renderer, const struct account *account, uint32_t *ret_newest,
		  uint32_t *ret_count);

/* The same of something that is no recording: a snapshot that somebody made, and what was found in it. */
int renderer_tell_view(struct renderer *renderer, const struct snapshot *snapshot,
		       const struct finding_list *found, bool all_threads);

/*
 * From now on what is said of a process's end is told once, and counted where it is the same of another. Only for text that a person
 * reads in one piece; renderer_end says how often it was so.
 */
void renderer_fold(struct renderer *renderer);

/* What is left to say when the command ends, and everything given back. Return: the command's own exit code. */
int renderer_end(struct renderer *renderer);

#endif
