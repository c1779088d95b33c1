#include "reporter/cli/help.h"

#include <errno.h>
#include <string.h>

#include "reporter/write/writers.h"

#define WIDTH 96u

static const struct {
	unsigned kind;
	const char *meaning, *problem, *remedy, *doubt, *suppression;
} long_help[] = {
#define KIND_HELP(id, meaning_, problem_, remedy_, doubt_, suppression_) \
	{ FINDING_##id, meaning_, problem_, remedy_, doubt_, suppression_ },
#include "reporter/cli/kinds_help.def"
};

/* `text` in lines of WIDTH, each but the first behind `indent` blanks; the first begins at column `at`. */
static void put_wrapped(FILE *to, const char *text, size_t at, size_t indent)
{
	bool first = true;
	while (*text) {
		size_t bytes = strcspn(text, " \n");
		if (!first && at + 1 + bytes > WIDTH) {
			fprintf(to, "\n%*s", (int)indent, "");
			at = indent;
		} else if (!first) {
			fputc(' ', to);
			at++;
		}
		fprintf(to, "%.*s", (int)bytes, text);
		at += bytes;
		text += bytes;
		text += strspn(text, " ");
		first = *text == '\n';
		for (; *text == '\n'; text++) {
			fprintf(to, "\n%*s", text[1] == '\n' ? 0 : (int)indent, "");
			at = indent;
		}
	}
	fputc('\n', to);
}

/* `name` in a column of its own, the sentence beside it. */
static void put_row(FILE *to, const char *name, size_t column, const char *sentence)
{
	size_t length = strlen(name);
	fprintf(to, "  %s", name);
	if (length + 4 > column)
		fprintf(to, "\n%*s", (int)column, "");
	else
		fprintf(to, "%*s", (int)(column - length - 2), "");
	put_wrapped(to, sentence, column, column);
}

void help_overview(FILE *to)
{
	fputs("whoholds: who holds which lock, memory or iterator, since when, from where, and who waits for "
	      "it\n\n",
	      to);
	for (unsigned i = 0; i < VERB_COUNT; i++) {
		char usage[128];
		if (!verbs[i].present)
			continue;
		snprintf(usage, sizeof usage, "whoholds %s %s", verbs[i].name, verbs[i].arguments);
		put_row(to, usage, 12, verbs[i].sentence);
	}
	fputs("\nMore: whoholds help VERB (its flags), help options (for --set), help kinds (of findings).\n"
	      "Without the command: LD_PRELOAD=.../libwhoholds.so PROGRAM\n",
	      to);
}

void help_verb(enum verb_id verb)
{
	printf("whoholds %s %s\n\n", verbs[verb].name, verbs[verb].arguments);
	put_wrapped(stdout, verbs[verb].sentence, 0, 0);
	if (!verbs[verb].present) {
		fputs("\nNot in this version.\n", stdout);
		return;
	}
	fputc('\n', stdout);
	for (size_t i = 0; i < flag_count; i++) {
		char name[64];
		char letter[8] = "";
		if (!(flags[i].verbs & (1u << verb)))
			continue;
		if (flags[i].letter)
			snprintf(letter, sizeof letter, "-%c, ", flags[i].letter);
		snprintf(name, sizeof name, "%s--%s%s%s", letter, flags[i].name, flags[i].argument ? "=" : "",
			 flags[i].argument ? flags[i].argument : "");
		put_row(stdout, name, 32, flags[i].sentence);
	}
	if (verb != VERB_run && verb != VERB_help)
		return;
	fputs("\nExit status of run: the program's own, 128+N where signal N killed it; 125 whoholds itself "
	      "failed,\n"
	      "126 the program can't be run or preloaded into, 127 it was not found, 2 wrong usage.\n",
	      stdout);
}

void help_options(void)
{
	fputs("Options: --set KEY=VALUE, WHOHOLDS_OPTIONS=\"key=value:key=value\", or lines of key = value "
	      "in a --config file.\n"
	      "The command line goes before the environment, that before the file.\n\n",
	      stdout);
	for (const struct option_entry *entry = option_table; entry->name; entry++) {
		printf("  %-14s ", entry->name);
		put_wrapped(stdout, entry->sentence, 17, 17);
		printf("%17sallowed: ", "");
		put_wrapped(stdout, entry->accepts, 26, 26);
		printf("%17sdefault: %s\n", "", entry->standard);
	}
	fputs("\nSizes take KiB MiB GiB KB MB GB, durations ms s m h.\n", stdout);
}

void help_kinds(void)
{
	fputs("Findings; 'whoholds help KIND' explains one and says what to do about it.\n\n", stdout);
	for (unsigned kind = 0; kind < FINDING_COUNT; kind++) {
		const char *severity = severity_name(finding_kind_severity(kind));
		printf("  %-18s %-8s ", finding_kind_name(kind), severity);
		put_wrapped(stdout, finding_kind_words(kind), 30, 30);
	}
}

int help_kind(const char *name)
{
	int kind = finding_kind_find(name);
	if (kind < 0)
		return -ENOENT;
	printf("%s (%s): %s\n", name, severity_name(finding_kind_severity((unsigned)kind)),
	       finding_kind_words((unsigned)kind));
	for (size_t i = 0; i < COUNT_OF(long_help); i++) {
		if (strcmp(finding_kind_name(long_help[i].kind), name) != 0)
			continue;
		const struct {
			const char *title, *text;
		} parts[] = {
			{ "What it means", long_help[i].meaning },
			{ "Why it matters", long_help[i].problem },
			{ "What to do", long_help[i].remedy },
			{ "When it may be wrong", long_help[i].doubt },
			{ "To suppress it", long_help[i].suppression },
		};
		for (size_t p = 0; p < COUNT_OF(parts); p++) {
			printf("\n%s\n    ", parts[p].title);
			put_wrapped(stdout, parts[p].text, 4, 4);
		}
	}
	return 0;
}
