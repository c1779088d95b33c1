#include "reporter/cli/args.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/units.h"
#include "reporter/cli/complain.h"
#include "reporter/cli/config.h"
#include "reporter/cli/help.h"
#include "reporter/write/writers.h"

_Static_assert(FINDING_COUNT <= 64, "args.fail_kinds has a bit a kind");

const struct verb verbs[VERB_COUNT] = {
#define PRESENT(id, arguments, sentence) { #id, arguments, sentence, true },
#define ABSENT(id, arguments, sentence) { #id, arguments, sentence, false },
#include "reporter/cli/verbs.def"
};

enum flag_id {
#define FLAG(id, name, letter, argument, verbs, sentence) FLAG_##id,
#include "reporter/cli/flags.def"
	FLAG_COUNT
};

#define ALL (~0u)
#define RUN (1u << VERB_run)
#define REPORT (1u << VERB_report)
#define TOP (1u << VERB_top)
/* Those that make reports. */
#define REPORTS \
	(RUN | REPORT | 1u << VERB_dump | 1u << VERB_leaks | 1u << VERB_why | 1u << VERB_diff | \
	 1u << VERB_top)
const struct flag flags[] = {
#define FLAG(id, name, letter, argument, verbs, sentence) { name, letter, argument, verbs, sentence },
#include "reporter/cli/flags.def"
};
const size_t flag_count = FLAG_COUNT;

enum verb_id verb_find(const char *name)
{
	unsigned id = 0;
	while (id < VERB_COUNT && strcmp(verbs[id].name, name) != 0)
		id++;
	return (enum verb_id)id;
}

/* -- values ---------------------------------------------------------------- */

/* The whole of `text` as a number within the bounds. */
static bool parse_number(const char *text, long low, long high, long *ret_number)
{
	char *end;
	errno = 0;
	long number = strtol(text, &end, 10);
	if (errno || end == text || *end || *text == ' ' || *text == '+' || number < low || number > high)
		return false;
	*ret_number = number;
	return true;
}

static int take_format(struct args *args, const char *value)
{
	char names[128];
	struct text text = TEXT_OF(names);
	for (const struct writer *writer = writers; writer->name; writer++)
		text_format(&text, "%s%s", writer == writers ? "" : ", ", writer->name);
	if (!writer_find(value))
		return usage_error("--format=%.60s: not a format of this version; there are %s", value,
				   names);
	args->format = value;
	return 0;
}

static int take_fail_on(struct args *args, const char *value)
{
	static const char *const severities[] = {
		[SEVERITY_INFO] = "info", [SEVERITY_WARNING] = "warning", [SEVERITY_ERROR] = "error"
	};
	if (!*value)
		return usage_error(
		    "--fail-on: empty value; give kinds separated by commas, or error, warning or info");
	for (const char *at = value; at;) {
		char word[64];
		size_t bytes = strcspn(at, ",");
		snprintf(word, sizeof word, "%.*s", (int)MIN_OF(bytes, sizeof word - 1), at);
		bool severity = false;
		for (unsigned i = 0; i < COUNT_OF(severities); i++)
			if (strcmp(word, severities[i]) == 0) {
				args->fail_severity = MIN_OF(args->fail_severity, (enum severity)i);
				severity = true;
			}
		int kind = severity ? 0 : finding_kind_find(word);
		if (kind < 0 || !*word)
			return usage_error(
			    "--fail-on: no kind or severity '%s'; 'whoholds help kinds' lists the kinds, "
			    "severities are error, warning and info",
			    word);
		if (!severity)
			args->fail_kinds |= UINT64_C(1) << kind;
		at = at[bytes] ? at + bytes + 1 : NULL;
	}
	return 0;
}

static int take_error_exitcode(struct args *args, const char *value)
{
	long number;
	if (!parse_number(value, 0, 255, &number))
		return usage_error("--error-exitcode=%.60s: a number from 0 (never) to 255 is wanted", value);
	args->error_exitcode = (int)number;
	return 0;
}

static int take_color(struct args *args, const char *value)
{
	if (strcmp(value, "auto") == 0)
		args->color = COLOR_WHEN_AUTO;
	else if (strcmp(value, "always") == 0)
		args->color = COLOR_WHEN_ALWAYS;
	else if (strcmp(value, "never") == 0)
		args->color = COLOR_WHEN_NEVER;
	else
		return usage_error("--color=%.60s: allowed are auto, always and never", value);
	return 0;
}

static int take_trigger(struct args *args, const char *value)
{
	static const char *const names[] = { [TRIGGER_EXIT] = "exit",
					     [TRIGGER_THRESHOLD] = "threshold",
					     [TRIGGER_REQUEST] = "request",
					     [TRIGGER_CRASH] = "crash" };
	for (unsigned i = 0; i < COUNT_OF(names); i++)
		if (strcmp(value, names[i]) == 0) {
			args->trigger = (enum trigger)i;
			args->has_trigger = true;
			return 0;
		}
	return usage_error("--trigger=%.60s: allowed are exit, threshold, request and crash", value);
}

static int take_new_since(struct args *args, const char *value)
{
	long number;
	if (!parse_number(value, 0, UINT32_MAX, &number))
		return usage_error("--new-since=%.60s: the number of a finding is wanted", value);
	args->new_since = (uint32_t)number;
	return 0;
}

static int take_looks(struct args *args, const char *value)
{
	long number;
	if (!parse_number(value, 1, INT32_MAX, &number))
		return usage_error("--number=%.60s: a number of looks is wanted, 1 or more", value);
	args->looks = (uint32_t)number;
	return 0;
}

static int take_delay(struct args *args, const char *value)
{
	uint64_t delay;
	if (units_parse_duration(value, &delay) != 0 || delay < 10 * NSEC_PER_MSEC ||
	    delay > 3600 * NSEC_PER_SEC)
		return usage_error("--delay=%.60s: a duration from 10ms to 1h is wanted, such as 500ms",
				   value);
	args->delay = delay;
	return 0;
}

static int take_name(const char *flag, const char *value, const char **ret_name)
{
	if (!*value)
		return usage_error("--%s: empty file name", flag);
	if (strlen(value) >= OPTION_TEXT_BYTES)
		return usage_error("--%s: the file name is longer than %d bytes", flag,
				   OPTION_TEXT_BYTES - 1);
	*ret_name = value;
	return 0;
}

static int set_option(struct options *into, const char *pair)
{
	char key[64], message[320];
	struct text error = TEXT_OF(message);
	const char *equals = strchr(pair, '=');
	if (!equals)
		return usage_error(
		    "--set %.60s: write --set KEY=VALUE; 'whoholds help options' lists the keys", pair);
	snprintf(key, sizeof key, "%.*s", (int)MIN_OF((size_t)(equals - pair), sizeof key - 1), pair);
	if (options_set(into, key, equals + 1, &error) != 0)
		return usage_error("--set: %s", message);
	return 0;
}

/* -- the command line ------------------------------------------------------ */

/* What getopt_long wants, of the flags that `verb` takes. */
struct wanted {
	struct option options[FLAG_COUNT + 1];
	char letters[2 * FLAG_COUNT + 4];
};

static void want_flags(enum verb_id verb, struct wanted *ret_wanted)
{
	size_t count = 0, at = 0;
	memset(ret_wanted, 0, sizeof *ret_wanted);
	/* '+': the program's own flags are not ours. ':': a missing argument is told from an unknown flag. */
	ret_wanted->letters[at++] = '+';
	ret_wanted->letters[at++] = ':';
	for (size_t i = 0; i < flag_count; i++) {
		if (!(flags[i].verbs & (1u << verb)))
			continue;
		ret_wanted->options[count++] = (struct option){
			.name = flags[i].name,
			.has_arg = flags[i].argument ? required_argument : no_argument,
			.val = 256 + (int)i,
		};
		if (flags[i].letter) {
			ret_wanted->letters[at++] = (char)flags[i].letter;
			if (flags[i].argument)
				ret_wanted->letters[at++] = ':';
		}
	}
}

static int flag_of(int found)
{
	if (found >= 256)
		return found - 256;
	for (size_t i = 0; i < flag_count; i++)
		if (flags[i].letter == found)
			return (int)i;
	return -1;
}

static int complain_flag(enum verb_id verb, int found, char **argv)
{
	const char *name = verbs[verb].name;
	/* optopt is a letter, or the value of a long flag; for an unknown long one it is 0. */
	int flag = optopt ? flag_of(optopt) : -1;
	if (found == ':' && flag >= 0)
		return usage_error("--%s wants %s; see 'whoholds help %s'", flags[flag].name,
				   flags[flag].argument, name);
	if (flag >= 0 && optopt >= 256)
		return usage_error("--%s takes no value; see 'whoholds help %s'", flags[flag].name, name);
	if (optopt && optopt < 256)
		return usage_error("%s has no flag -%c; see 'whoholds help %s'", name, optopt, name);
	return usage_error("%s has no flag '%.60s', or more than one that begins so; see 'whoholds help %s'",
			   name, argv[optind - 1], name);
}

/* The sources below --set, in the order of their precedence; --set itself is applied behind them. */
static int merge_options(struct args *args, const char *config)
{
	options_init(&args->options);
	if (config) {
		int error = config_read(config, &args->options);
		if (error)
			return error;
	}
	const char *environment = getenv("WHOHOLDS_OPTIONS");
	if (!environment)
		return 0;
	/* A command that a library started: that library has complained already, and the report is wanted. */
	int mistakes =
	    options_parse(&args->options, environment,
			  args->has_trigger ? config_complain_nothing : config_complain_environment);
	return mistakes && !args->has_trigger ? EXIT_USAGE : 0;
}

/* One pass over the flags; those that need another pass first (--set) are left to the caller. */
static int take_flag(struct args *args, enum flag_id id, const char *value, const char **ret_config)
{
	switch (id) {
	case FLAG_format:
		return take_format(args, value);
	case FLAG_output:
		return take_name("output", value, &args->output);
	case FLAG_json:
		return take_name("json", value, &args->json);
	case FLAG_suppressions: {
		const char *name = NULL;
		int error = take_name("suppressions", value, &name);
		const char **more = realloc(args->suppressions, (args->suppression_count + 1) * sizeof *more);
		if (more) {
			args->suppressions = more;
			more[args->suppression_count++] = name;
		}
		return error;
	}
	case FLAG_gen_suppressions:
		return take_name("gen-suppressions", value, &args->gen_suppressions);
	case FLAG_config:
		return take_name("config", value, ret_config);
	case FLAG_set:
		return 0;
	case FLAG_fail_on:
		return take_fail_on(args, value);
	case FLAG_error_exitcode:
		return take_error_exitcode(args, value);
	case FLAG_color:
		return take_color(args, value);
	case FLAG_quiet:
		args->verbosity = -1;
		return 0;
	case FLAG_verbose:
		args->verbosity = 1;
		return 0;
	case FLAG_number:
		return take_looks(args, value);
	case FLAG_delay:
		return take_delay(args, value);
	case FLAG_batch:
		args->batch = true;
		return 0;
	case FLAG_keep:
		return 0;
	case FLAG_new_since:
		return take_new_since(args, value);
	case FLAG_trigger:
		return take_trigger(args, value);
	case FLAG_version:
		printf("whoholds %s\n", WH_VERSION);
		return -1;
	case FLAG_help:
		help_verb(args->verb);
		return -1;
	case FLAG_COUNT:
		break;
	}
	return 0;
}

static int walk_flags(struct args *args, int argc, char **argv, bool second, const char **ret_config)
{
	struct wanted wanted;
	int found, error = 0;
	want_flags(args->verb, &wanted);
	optind = 0;
	opterr = 0;
	while (!error && (found = getopt_long(argc, argv, wanted.letters, wanted.options, NULL)) >= 0) {
		int id = found == '?' || found == ':' ? -1 : flag_of(found);
		if (id < 0)
			error = complain_flag(args->verb, found, argv);
		else if (!second)
			error = take_flag(args, (enum flag_id)id, optarg, ret_config);
		else if (id == FLAG_set)
			error = set_option(&args->options, optarg);
		else if (id == FLAG_keep)
			args->options.keep = true;
	}
	args->rest = argv + optind;
	args->rest_count = argc - optind;
	return error;
}

/* --json and the option json are one and the same, as -o and log are for a run. */
static int settle(struct args *args)
{
	if (args->json)
		snprintf(args->options.json, sizeof args->options.json, "%s", args->json);
	else if (strcmp(args->options.json, "none") != 0)
		args->json = args->options.json;
	if (args->verb == VERB_run) {
		if (args->output)
			snprintf(args->options.log, sizeof args->options.log, "%s", args->output);
		else if (strcmp(args->options.log, "stderr") != 0)
			args->output = args->options.log;
	}
	if ((args->fail_kinds || args->fail_severity != SEVERITY_ERROR) && args->error_exitcode < 0)
		args->error_exitcode = 1;
	if (args->error_exitcode < 0)
		args->error_exitcode = 0;
	if (args->json && args->output && strcmp(args->json, args->output) == 0)
		return usage_error("--json and --output name the same file '%s'; give each its own",
				   args->json);
	return 0;
}

int args_parse(enum verb_id verb, int argc, char **argv, struct args *ret_args)
{
	const char *config = NULL;
	*ret_args = (struct args){
		.verb = verb,
		.format = "text",
		.fail_severity = SEVERITY_ERROR,
		.error_exitcode = -1,
		.trigger = TRIGGER_REQUEST,
	};
	int error = walk_flags(ret_args, argc, argv, false, &config);
	if (!error)
		error = merge_options(ret_args, config);
	if (!error)
		error = walk_flags(ret_args, argc, argv, true, &config);
	if (!error)
		error = settle(ret_args);
	if (error)
		args_release(ret_args);
	return error;
}

void args_release(struct args *args)
{
	free(args->suppressions);
	args->suppressions = NULL;
	args->suppression_count = 0;
}

char *args_absolute(const char *path)
{
	char directory[PATH_MAX];
	char *absolute = NULL;
	if (*path == '/' || !getcwd(directory, sizeof directory))
		return strdup(path);
	return asprintf(&absolute, "%s/%s", directory, path) < 0 ? NULL : absolute;
}
