#include "reporter/cli/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "options.h"
#include "reporter/cli/complain.h"
#include "reporter/write/file_name.h"

static int gather(struct sink *sink, const char *bytes, size_t count)
{
	struct output *output = sink->data;
	if (count > output->room - output->used) {
		size_t room = MAX_OF(output->room * 2, output->used + count);
		char *grown = realloc(output->bytes, MAX_OF(room, 4096));
		if (!grown)
			return -ENOMEM;
		output->bytes = grown;
		output->room = MAX_OF(room, 4096);
	}
	memcpy(output->bytes + output->used, bytes, count);
	output->used += count;
	return 0;
}

static int fail(struct output *output, const char *name, int error)
{
	if (!output->failed)
		complain("cannot write the report to '%s': %s; give another name, or make room for it", name,
			 strerror(-error));
	output->failed = true;
	return EXIT_FAILED;
}

static int open_report(const char *name, bool empty)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0666);
	/* Not O_TRUNC: of a pipe or a terminal that would be an error. */
	if (fd >= 0 && empty && ftruncate(fd, 0) != 0 && errno != EINVAL) {
		int error = errno;
		close(fd);
		errno = error;
		return -1;
	}
	return fd;
}

int output_init(struct output *output, const char *pattern, int fd, bool goes_on)
{
	*output = (struct output){ .fd = fd, .goes_on = goes_on };
	output->sink = (struct sink){ .put = gather, .data = output };
	if (!pattern)
		return 0;
	if (strcmp(pattern, "-") == 0) {
		output->fd = STDOUT_FILENO;
		return 0;
	}
	output->pattern = pattern;
	output->per_process = file_name_is_per_process(pattern);
	output->fd = -1;
	if (output->per_process)
		return 0;
	char expanded[OPTION_TEXT_BYTES * 2] = "";
	struct text name = TEXT_OF(expanded);
	static const struct rec_header nobody;
	const struct view none = { .header = &nobody };
	file_name_expand(&name, pattern, &none);
	output->fd = open_report(expanded, !goes_on);
	return output->fd < 0 ? fail(output, expanded, -errno) : 0;
}

bool output_is_terminal(const struct output *output)
{
	return output->fd >= 0 && isatty(output->fd);
}

static bool was_begun(const struct output *output, const char *name)
{
	for (size_t i = 0; i < output->begun_count; i++)
		if (strcmp(output->begun[i], name) == 0)
			return true;
	return false;
}

/* The descriptor of this process's file. Return: it, or -errno with the name in `name`. */
static int begin_file(struct output *output, const char *name)
{
	bool begun = was_begun(output, name);
	int fd = open_report(name, !begun && !output->goes_on);
	if (fd < 0)
		return -errno;
	if (!begun) {
		char **more = realloc(output->begun, (output->begun_count + 1) * sizeof *more);
		if (more) {
			output->begun = more;
			more[output->begun_count] = strdup(name);
			output->begun_count += more[output->begun_count] != NULL;
		}
	}
	return fd;
}

/* Short writes happen on pipes and full disks; the first piece is normally all. */
static int write_all(int fd, const char *bytes, size_t count)
{
	while (count) {
		ssize_t written = write(fd, bytes, count);
		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -errno;
		bytes += written;
		count -= (size_t)written;
	}
	return 0;
}

int output_flush(struct output *output, const struct view *view)
{
	char expanded[OPTION_TEXT_BYTES * 2] = "";
	struct text name = TEXT_OF(expanded);
	size_t count = output->used;
	int sink_error = output->sink.error;
	output->used = 0;
	output->sink.error = 0;
	if (output->failed)
		return EXIT_FAILED;
	if (!count && !sink_error)
		return 0;
	text_put(&name, output->fd == STDOUT_FILENO ? "standard output" : "standard error");
	if (output->pattern) {
		name = TEXT_OF(expanded);
		file_name_expand(&name, output->pattern, view);
	}
	if (sink_error)
		return fail(output, expanded, sink_error);
	int fd = output->per_process ? begin_file(output, expanded) : output->fd;
	if (fd < 0)
		return fail(output, expanded, fd);
	int error = write_all(fd, output->bytes, count);
	if (output->per_process && close(fd) != 0 && !error)
		error = -errno;
	return error ? fail(output, expanded, error) : 0;
}

void output_release(struct output *output)
{
	if (output->pattern && output->fd >= 0)
		close(output->fd);
	for (size_t i = 0; i < output->begun_count; i++)
		free(output->begun[i]);
	free(output->begun);
	free(output->bytes);
	*output = (struct output){ .fd = -1 };
}
