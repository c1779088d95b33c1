#include "reporter/cli/resolve.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reporter/recording/discover.h"
#include "reporter/recording/process.h"

pid_t resolve_pid(const char *name)
{
	char *end;
	errno = 0;
	long number = strtol(name, &end, 10);
	return !errno && *name >= '0' && *name <= '9' && !*end && number > 0 && number <= INT32_MAX
		   ? (pid_t)number
		   : 0;
}

/* What a process of that number left behind, the newest where the number was used more than once. */
static int open_left(pid_t pid, struct reader *ret_reader)
{
	struct discovery discovery;
	const char *path = NULL;
	uint64_t newest = 0;
	int error = -ENOENT;
	if (discover(&discovery) != 0)
		return -ENOMEM;
	for (size_t i = 0; i < discovery.count; i++) {
		struct reader reader;
		if (reader_attach(discovery.found[i].path, &reader) != 0)
			continue;
		if (reader.view.header->pid == pid && reader.view.header->started_real >= newest) {
			newest = reader.view.header->started_real;
			path = discovery.found[i].path;
		}
		reader_close(&reader);
	}
	if (path)
		error = reader_open(path, ret_reader);
	discovery_release(&discovery);
	return error;
}

int resolve_recording(const char *name, struct reader *ret_reader)
{
	pid_t pid = resolve_pid(name);
	if (!pid || access(name, F_OK) == 0)
		return reader_open(name, ret_reader);
	struct process_stat stat;
	int error = reader_open_pid(pid, ret_reader);
	bool zombie = error == -ENODATA && process_stat(pid, 0, &stat) == 0 && process_is_zombie(&stat);
	if (error != -ESRCH && !zombie)
		return error;
	/* What was said of the process stands, unless something is found. */
	struct reader left;
	if (open_left(pid, &left) != 0)
		return error;
	*ret_reader = left;
	/* The view points into the reader, which has moved. */
	ret_reader->view.header = &ret_reader->header;
	return 0;
}
