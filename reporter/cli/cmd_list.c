#include <dirent.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/units.h"
#include "reporter/cli/args.h"
#include "reporter/cli/commands.h"
#include "reporter/cli/complain.h"
#include "reporter/cli/target.h"
#include "reporter/recording/discover.h"
#include "reporter/recording/process.h"
#include "reporter/recording/reader.h"

struct tally {
	unsigned live, ended, unreadable;
	char example[READER_PATH_BYTES]; /* a recording whose process has ended */
};

/* Names come out of recordings, which anybody may have made. */
static const char *plain(const char *name, char *into, size_t bytes)
{
	snprintf(into, bytes, "%s", name);
	for (char *at = into; *at; at++)
		if ((unsigned char)*at < ' ' || *at == 127)
			*at = '?';
	return into;
}

static const char *state_word(const struct rec_header *header, pid_t pid)
{
	switch (atomic_load_explicit(&header->state, memory_order_relaxed)) {
	case REC_EXECED:
		return "replaced";
	case REC_EXITED:
		return pid ? "exiting" : "exited";
	case REC_ABORTED:
		return pid ? "exiting" : "crashed";
	default:
		return pid ? "live" : "killed";
	}
}

/* Time since it started, by the clock on the wall: recordings outlive a reboot in /tmp. */
static void put_age(struct text *text, const struct rec_header *header)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	uint64_t now_ns = (uint64_t)now.tv_sec * NSEC_PER_SEC + (uint64_t)now.tv_nsec;
	units_put_duration(text, now_ns > header->started_real ? now_ns - header->started_real : 0);
}

static void print_recording(const struct reader *reader, uint64_t disk_bytes, const char *path,
			    struct tally *tally)
{
	const struct rec_header *header = reader->view.header;
	char age_text[64] = "", size_text[64] = "", name_text[32], path_text[READER_PATH_BYTES];
	struct text age = TEXT_OF(age_text), size = TEXT_OF(size_text);
	unsigned state = atomic_load_explicit(&header->state, memory_order_relaxed);
	pid_t pid = state == REC_EXECED ? 0 : process_of(header);
	put_age(&age, header);
	if (reader->memory_of)
		text_put(&size, "-");
	else
		units_put_size(&size, disk_bytes);
	printf("%8d  %-16s %-9s %10s %9u %10s  %s\n", pid > 0 ? pid : header->pid,
	       plain(view_program(&reader->view), name_text, sizeof name_text), state_word(header, pid),
	       age_text, atomic_load_explicit(&header->alerts, memory_order_relaxed), size_text,
	       reader->memory_of ? "(in its memory alone)" : plain(path, path_text, sizeof path_text));
	if (pid) {
		tally->live++;
	} else {
		tally->ended++;
		snprintf(tally->example, sizeof tally->example, "%s", path);
	}
}

static void print_heading(unsigned rows)
{
	if (!rows)
		printf("%8s  %-16s %-9s %10s %9s %10s  %s\n", "PID", "PROGRAM", "STATE", "AGE", "FINDINGS",
		       "SIZE", "RECORDING");
}

static bool was_listed(const struct discovery *discovery, const struct reader *reader)
{
	for (size_t i = 0; i < discovery->count; i++)
		if (strcmp(discovery->found[i].path, reader->path) == 0)
			return true;
	return false;
}

/* Live targets whose recordings lie elsewhere: another WHOHOLDS_DIR, or in their memory. */
static void print_elsewhere(const struct discovery *discovery, struct tally *tally)
{
	DIR *proc = opendir("/proc");
	for (struct dirent *entry; proc && (entry = readdir(proc));) {
		struct reader reader;
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
		if (pid <= 0 || reader_attach_pid(pid, &reader) != 0)
			continue;
		/* A fork child has its parent's mapping until it has made its own. */
		if (!was_listed(discovery, &reader) && process_of(reader.view.header) == pid) {
			print_heading(tally->live + tally->ended);
			print_recording(&reader, 0, reader.path, tally);
		}
		reader_close(&reader);
	}
	if (proc)
		closedir(proc);
}

static void print_directories(void)
{
	char path[DISCOVER_PATH_BYTES];
	int error;
	for (unsigned i = 0; (error = discover_directory(i, path)) != -ENOENT; i++)
		if (error)
			complain("'%s' is not listed: it is not a directory of yours alone", path);
		else
			printf("%s'%s'", i ? ", " : "no recordings and no live targets; looked in ", path);
	putchar('\n');
}

static int list(const struct args *args)
{
	struct discovery discovery;
	struct tally tally = { 0 };
	if (discover(&discovery) != 0) {
		complain("no memory for the list of recordings");
		return EXIT_FAILED;
	}
	for (size_t i = 0; i < discovery.count; i++) {
		struct reader reader;
		if (reader_attach(discovery.found[i].path, &reader) != 0) {
			/* Gone since the directory was read: a process that had nothing to report. */
			tally.unreadable += reader.error[0] && strstr(reader.error, "no recording '") == NULL;
			if (args->verbosity > 0)
				complain("%s", reader.error);
			continue;
		}
		print_heading(tally.live + tally.ended);
		print_recording(&reader, discovery.found[i].disk_bytes, discovery.found[i].path, &tally);
		reader_close(&reader);
	}
	print_elsewhere(&discovery, &tally);
	if (!tally.live && !tally.ended)
		print_directories();
	if (tally.ended)
		printf("\n%u %s left by processes that have ended: 'whoholds report %s' shows %s, 'rm' "
		       "removes it\n",
		       tally.ended, tally.ended == 1 ? "recording was" : "recordings were", tally.example,
		       tally.ended == 1 ? "it" : "the last");
	if (tally.unreadable)
		complain("%u that can't be read; 'whoholds list -v' says why", tally.unreadable);
	discovery_release(&discovery);
	return EXIT_GOOD;
}

int cmd_list(int argc, char **argv)
{
	struct args args;
	int code = args_parse(VERB_list, argc, argv, &args);
	if (code)
		return code < 0 ? EXIT_GOOD : code;
	if (args.rest_count)
		code = usage_error("list takes no arguments; 'whoholds report %.200s' shows a recording",
				   args.rest[0]);
	else
		code = list(&args);
	args_release(&args);
	return code;
}
