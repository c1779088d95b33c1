/*
 * The command line, read once into plain values. One table of flags (flags.def) and one of verbs
 * (verbs.def); options come from the config file, then the environment, then --set.
 *
 * Context: offline.
 */
#ifndef WH_CLI_ARGS_H
#define WH_CLI_ARGS_H

#include "base/types.h"
#include "options.h"
#include "reporter/finding.h"
#include "reporter/write/report.h"

enum verb_id {
#define PRESENT(id, arguments, sentence) VERB_##id,
#define ABSENT(id, arguments, sentence) VERB_##id,
#include "reporter/cli/verbs.def"
	VERB_COUNT
};

struct verb {
	const char *name, *arguments, *sentence;
	bool present; /* in this version */
};
extern const struct verb verbs[VERB_COUNT];
/* VERB_COUNT: none of that name. */
enum verb_id verb_find(const char *name);

struct flag {
	const char *name;
	int letter;
	const char *argument;
	unsigned verbs; /* 1 << enum verb_id */
	const char *sentence;
};
extern const struct flag flags[];
extern const size_t flag_count;

enum color_when { COLOR_WHEN_AUTO, COLOR_WHEN_ALWAYS, COLOR_WHEN_NEVER };

struct args {
	enum verb_id verb;
	struct options options;    /* all sources merged */
	const char *format;        /* name of a writer; points into argv or a constant */
	const char *output;        /* NULL: the verb's standard place */
	const char *json;          /* NULL: none */
	const char **suppressions; /* owned; pointing into argv */
	size_t suppression_count;
	const char *gen_suppressions;
	uint64_t fail_kinds;         /* 1 << enum finding_kind */
	enum severity fail_severity; /* this and worse; SEVERITY_ERROR unless --fail-on names another */
	int error_exitcode;          /* 0: not asked for */
	enum color_when color;
	int verbosity; /* -1, 0, 1 */
	uint32_t new_since;
	uint32_t looks; /* of top; 0: no end */
	nsec_t delay;   /* of top, between two of them */
	bool batch;
	enum trigger trigger;
	bool has_trigger;
	char **rest; /* what follows the flags; NULL-terminated, of argv */
	int rest_count;
};

/*
 * Reads what follows the verb: argv[0] is the verb itself. Return: 0; -1 where help or the version was asked
 * for and has been printed; or an exit code, after a message.
 */
int args_parse(enum verb_id verb, int argc, char **argv, struct args *ret_args);
void args_release(struct args *args);

/* Makes an output name absolute, since processes of a run have directories of their own. Owned by the caller. */
char *args_absolute(const char *path);

#endif
