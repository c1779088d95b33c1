#include "reporter/recording/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reporter/recording/process.h"

/*
 * What one table may use. A stack id times 8 reaches 32 GiB, but a target never gets near: the
 * tracker's own memory is limited. This keeps a hostile sparse file from being copied for hours.
 */
#define TABLE_MOST_BYTES (UINT64_C(4) << 30)

/* Tries to get a whole copy of a slot that its thread keeps writing; chosen by feel. */
#define SLOT_TRIES 20

#define PRIVATE_NAME "/memfd:whoholds"

static const struct {
	const char *name;
	uint64_t entry_bytes; /* `used` is a multiple of this */
} shapes[REC_TABLES] = {
	[REC_THREADS] = { "threads", REC_SLOT_BYTES },
	[REC_STACKS] = { "stacks", 8 },
	[REC_SITES] = { "sites", sizeof(struct rec_site) },
	[REC_CELLS] = { "cells", sizeof(struct rec_cells) },
	[REC_RESOURCES] = { "resources", sizeof(struct rec_hold) },
	[REC_OBJECTS] = { "objects", sizeof(struct rec_object) },
	[REC_MODULES] = { "modules", sizeof(struct rec_module) },
	[REC_STRINGS] = { "strings", 1 },
	[REC_ALERTS] = { "alerts", 8 },
	[REC_SERIES] = { "series", sizeof(struct rec_point) },
	[REC_LINEAGE] = { "lineage", sizeof(struct rec_lineage) },
	[REC_LOCKS] = { "locks", sizeof(struct rec_lock) },
	[REC_EDGES] = { "edges", sizeof(struct rec_edge) },
	[REC_MISUSES] = { "misuses", sizeof(struct rec_misuse) },
	[REC_SPANS] = { "spans", sizeof(struct rec_span) },
	[REC_SIGNALS] = { "signals", sizeof(struct rec_signal) },
	[REC_PLACES] = { "places", sizeof(struct rec_place) },
	[REC_ITERATIONS] = { "iterations", sizeof(struct rec_iteration) },
	[REC_GROWTH] = { "growth", sizeof(struct rec_growth) },
	[REC_ARENAS] = { "arenas", sizeof(struct rec_arenas) },
	[REC_USES] = { "uses", sizeof(struct rec_use) },
	[REC_USE_CELLS] = { "use-cells", sizeof(struct rec_use_cells) },
	[REC_WHY] = { "why", sizeof(struct rec_why) },
};

/* Referrers first: what they name is copied after them, and is there by then. */
static const enum rec_table_id order[REC_TABLES] = { REC_THREADS,    REC_RESOURCES, REC_OBJECTS, REC_ALERTS,
						     REC_SERIES,     REC_CELLS,     REC_GROWTH,  REC_ARENAS,
						     REC_WHY,        REC_USE_CELLS, REC_USES,    REC_SITES,
						     REC_EDGES,      REC_LOCKS,     REC_LINEAGE, REC_MISUSES,
						     REC_ITERATIONS, REC_SPANS,     REC_PLACES,  REC_SIGNALS,
						     REC_STACKS,     REC_MODULES,   REC_STRINGS };
#define REFERRERS 20u

static int PRINTF(3, 4) fail(struct reader *reader, int error, const char *format, ...)
{
	va_list list;
	va_start(list, format);
	vsnprintf(reader->error, sizeof reader->error, format, list);
	va_end(list);
	return error;
}

/* -- bytes ----------------------------------------------------------------- */

static int fetch_at(int fd, void *into, size_t bytes, uint64_t at)
{
	char *to = into;
	while (bytes) {
		ssize_t got = pread(fd, to, bytes, (off_t)at);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			return -ENODATA;
		to += got;
		at += (uint64_t)got;
		bytes -= (size_t)got;
	}
	return 0;
}

/* `bytes` bytes of the recording at `offset`. Return: 0, -ENODATA past the end, or -errno. */
static int fetch(const struct reader *reader, void *into, uint64_t bytes, uint64_t offset)
{
	if (!reader->memory_of)
		return fetch_at(reader->fd, into, bytes, offset);
	char *to = into;
	for (size_t i = 0; i < reader->piece_count && bytes; i++) {
		const struct reader_piece *piece = &reader->pieces[i];
		if (offset < piece->offset || offset >= piece->offset + piece->bytes)
			continue;
		uint64_t within = offset - piece->offset, part = MIN_OF(bytes, piece->bytes - within);
		int error = fetch_at(reader->fd, to, part, piece->address + within);
		if (error)
			return error;
		to += part;
		offset += part;
		bytes -= part;
		i = (size_t)-1; /* What follows may lie in any piece. */
	}
	return bytes ? -ENODATA : 0;
}

static uint64_t size_now(const struct reader *reader)
{
	struct stat stat;
	uint64_t size = 0;
	if (!reader->memory_of)
		return fstat(reader->fd, &stat) == 0 ? (uint64_t)stat.st_size : 0;
	for (size_t i = 0; i < reader->piece_count; i++)
		size = MAX_OF(size, reader->pieces[i].offset + reader->pieces[i].bytes);
	return size;
}

static int fail_fetch(struct reader *reader, int error, const char *what)
{
	if (error == -ENODATA)
		return fail(reader, -EBADMSG,
			    "'%s' is truncated: it ends within its %s; nothing after that can be shown",
			    reader->path, what);
	if (reader->memory_of)
		return fail(reader, error, "cannot read the memory of process %d: %s", reader->memory_of,
			    strerror(-error));
	return fail(reader, error, "cannot read '%s': %s", reader->path, strerror(-error));
}

/* -- checks ---------------------------------------------------------------- */

/* Bytes of a table that are to be copied; the series is a ring, and its `used` goes on for ever. */
static uint64_t used_of(const struct rec_header *header, enum rec_table_id id)
{
	const struct rec_table *table = &header->tables[id];
	uint64_t used = atomic_load_explicit(&table->used, memory_order_relaxed);
	if (id == REC_SERIES)
		used = MIN_OF(used, MIN_OF(table->capacity, REC_SERIES_COUNT * sizeof(struct rec_point)));
	return used - used % shapes[id].entry_bytes;
}

static int check_table(struct reader *reader, const struct rec_header *header, enum rec_table_id id,
		       uint64_t size)
{
	const struct rec_table *table = &header->tables[id];
	const char *name = shapes[id].name;
	uint64_t used = used_of(header, id), end;
	if (!table->capacity && !used)
		return 0;
	if (table->offset < REC_HEADER_BYTES || table->offset % 8 ||
	    __builtin_add_overflow(table->offset, table->capacity, &end) || end > INT64_MAX)
		return fail(reader, -EBADMSG,
			    "'%s' is damaged: its table of %s lies outside of it (offset %llu, %llu bytes)",
			    reader->path, name, (unsigned long long)table->offset,
			    (unsigned long long)table->capacity);
	if (used > table->capacity)
		return fail(reader, -EBADMSG,
			    "'%s' is damaged: its table of %s holds %llu bytes and has room for %llu",
			    reader->path, name, (unsigned long long)used,
			    (unsigned long long)table->capacity);
	if (used > TABLE_MOST_BYTES)
		return fail(reader, -EBADMSG, "'%s' is damaged: its table of %s claims %llu bytes",
			    reader->path, name, (unsigned long long)used);
	if (used && table->offset + used > size)
		return fail(
		    reader, -EBADMSG,
		    "'%s' is truncated: its table of %s ends at byte %llu, the file at %llu; copy it again, "
		    "whole (it is sparse: 'cp --sparse=always')",
		    reader->path, name, (unsigned long long)table->offset + used, (unsigned long long)size);
	return 0;
}

static bool tables_overlap(const struct rec_header *header)
{
	for (unsigned i = 0; i < REC_TABLES; i++)
		for (unsigned j = 0; j < i; j++) {
			const struct rec_table *one = &header->tables[i], *other = &header->tables[j];
			if (one->capacity && other->capacity &&
			    one->offset < other->offset + other->capacity &&
			    other->offset < one->offset + one->capacity)
				return true;
		}
	return false;
}

static int check_header(struct reader *reader, const struct rec_header *header, uint64_t size)
{
	if (header->magic == __builtin_bswap64(REC_MAGIC))
		return fail(reader, -EPROTONOSUPPORT,
			    "'%s' was recorded on a machine of another byte order; read it there",
			    reader->path);
	if (!header->magic && !header->version)
		return fail(reader, -EINVAL,
			    "'%s' is not a whoholds recording, or one that is just being made; 'whoholds "
			    "list' shows those there are",
			    reader->path);
	if (header->magic != REC_MAGIC)
		return fail(reader, -EINVAL,
			    "'%s' is not a whoholds recording; 'whoholds list' shows those there are",
			    reader->path);
	if (header->version != REC_VERSION)
		return fail(reader, -EPROTONOSUPPORT,
			    "'%s' is of version %u, this command reads %u; use the whoholds that recorded it",
			    reader->path, header->version, REC_VERSION);
	if (header->header_bytes != REC_HEADER_BYTES)
		return fail(reader, -EBADMSG, "'%s' is damaged: its header claims %u bytes, not %u",
			    reader->path, header->header_bytes, REC_HEADER_BYTES);
	for (unsigned id = 0; id < REC_TABLES; id++) {
		int error = check_table(reader, header, (enum rec_table_id)id, size);
		if (error)
			return error;
	}
	if (tables_overlap(header))
		return fail(reader, -EBADMSG, "'%s' is damaged: its tables overlap", reader->path);
	return 0;
}

/* -- copies ---------------------------------------------------------------- */

/*
 * A copy of a slot is whole where its `changes` is even and the same before and after. The target writes
 * on while it is copied, so the first word says nothing about the rest.
 */
static int copy_slot_again(const struct reader *reader, struct rec_thread *slot, uint64_t offset)
{
	for (unsigned i = 0; i < SLOT_TRIES; i++) {
		uint64_t before, after;
		int error = fetch(reader, &before, sizeof before, offset);
		if (!error)
			error = fetch(reader, slot, sizeof *slot, offset);
		if (!error)
			error = fetch(reader, &after, sizeof after, offset);
		if (error)
			return error;
		if (before == after && !(slot->changes % 2))
			return 0;
	}
	atomic_store_explicit(&slot->changes, atomic_load_explicit(&slot->changes, memory_order_relaxed) | 1,
			      memory_order_relaxed);
	return 0;
}

static int settle_slots(const struct reader *reader, const struct rec_header *header, char *copy,
			uint64_t used)
{
	uint64_t offset = header->tables[REC_THREADS].offset;
	for (uint64_t at = 0; at < used; at += REC_SLOT_BYTES) {
		struct rec_thread *slot = (void *)(copy + at);
		uint64_t word = atomic_load_explicit(&slot->word, memory_order_relaxed), now;
		int error = fetch(reader, &now, sizeof now, offset + at);
		if (!error && (now != word || slot->changes % 2))
			error = copy_slot_again(reader, slot, offset + at);
		if (error)
			return error;
	}
	return 0;
}

static int copy_table(struct reader *reader, struct rec_header *header, enum rec_table_id id, void **ret_copy)
{
	uint64_t used = used_of(header, id);
	*ret_copy = NULL;
	if (used) {
		/* Whoever reads the ring counts modulo its full length, whatever the header says. */
		uint64_t room =
		    id == REC_SERIES ? (uint64_t)REC_SERIES_COUNT * sizeof(struct rec_point) : used;
		char *copy = NULL;
		if (posix_memalign(ret_copy, REC_SLOT_BYTES, room) != 0) {
			*ret_copy = NULL;
			return fail(reader, -ENOMEM, "no memory for the %llu bytes of %s in '%s'",
				    (unsigned long long)used, shapes[id].name, reader->path);
		}
		copy = *ret_copy;
		memset(copy + used, 0, room - used);
		int error = fetch(reader, copy, used, header->tables[id].offset);
		if (!error && id == REC_THREADS)
			error = settle_slots(reader, header, copy, used);
		if (error)
			return fail_fetch(reader, error, shapes[id].name);
	}
	/* The view goes by this number, so it must be what was copied. */
	if (id != REC_SERIES || !used)
		atomic_store_explicit(&header->tables[id].used, used, memory_order_relaxed);
	return 0;
}

/* view_used cuts at the capacity; the series' `used` counts past it, and its copy may be smaller. */
static void bound_series(struct rec_header *header)
{
	header->tables[REC_SERIES].capacity = used_of(header, REC_SERIES);
}

int reader_glance(struct reader *reader, struct rec_header *ret_header)
{
	struct rec_header header;
	uint64_t size = size_now(reader);
	int error = fetch(reader, &header, sizeof header, 0);
	if (error == -ENODATA && size < sizeof header)
		return fail(reader, -EINVAL,
			    "'%s' is not a whoholds recording: it has only %llu byte%s; 'whoholds list' "
			    "shows those there are",
			    reader->path, (unsigned long long)size, size == 1 ? "" : "s");
	if (error)
		return fail_fetch(reader, error, "header");
	error = check_header(reader, &header, size);
	if (error)
		return error;
	reader->size = size;
	*ret_header = header;
	return 0;
}

static void free_copies(void *copies[REC_TABLES])
{
	for (unsigned id = 0; id < REC_TABLES; id++)
		free(copies[id]);
}

/* The view is of these from now on. A table that was not copied looks empty. */
static void take_copies(struct reader *reader, struct rec_header *header, void *copies[REC_TABLES])
{
	bound_series(header);
	free_copies(reader->copies);
	memcpy(reader->copies, copies, REC_TABLES * sizeof copies[0]);
	reader->header = *header;
	reader->view.header = &reader->header;
	for (unsigned id = 0; id < REC_TABLES; id++)
		reader->view.tables[id] = copies[id];
	/* The copy is nobody's to write, whatever the target does meanwhile. */
	reader->view.live = false;
}

/* The header and the strings alone. */
static int copy_briefly(struct reader *reader)
{
	struct rec_header header;
	void *copies[REC_TABLES] = { NULL };
	int error = reader_glance(reader, &header);
	if (!error)
		error = copy_table(reader, &header, REC_STRINGS, &copies[REC_STRINGS]);
	if (error)
		return error;
	for (unsigned id = 0; id < REC_TABLES; id++)
		if (id != REC_STRINGS)
			atomic_store_explicit(&header.tables[id].used, 0, memory_order_relaxed);
	take_copies(reader, &header, copies);
	return 0;
}

int reader_refresh(struct reader *reader)
{
	struct rec_header header, later;
	void *copies[REC_TABLES] = { NULL };
	int error = reader_glance(reader, &header);
	for (unsigned i = 0; i < REFERRERS && !error; i++)
		error = copy_table(reader, &header, order[i], &copies[order[i]]);
	if (!error)
		error = reader_glance(reader, &later);
	for (unsigned i = REFERRERS; i < REC_TABLES && !error; i++) {
		header.tables[order[i]] = later.tables[order[i]];
		error = copy_table(reader, &header, order[i], &copies[order[i]]);
	}
	if (error) {
		free_copies(copies);
		return error;
	}
	take_copies(reader, &header, copies);
	return 0;
}

stack_id reader_add_stack(struct reader *reader, const uint64_t *frames, uint16_t count, uint16_t flags)
{
	struct rec_table *table = &reader->header.tables[REC_STACKS];
	uint64_t used = reader->copies[REC_STACKS] ? used_of(&reader->header, REC_STACKS) : 0;
	/* The place of id 0 stays empty. */
	uint64_t at = MAX_OF(used, 64), end = at + sizeof(struct rec_stack) + count * sizeof *frames;
	if (!reader->view.header || end > TABLE_MOST_BYTES)
		return 0;
	char *grown = realloc(reader->copies[REC_STACKS], end);
	if (!grown)
		return 0;
	memset(grown + used, 0, end - used);
	struct rec_stack *stack = (void *)(grown + at);
	stack->epoch = atomic_load_explicit(&reader->header.epoch, memory_order_relaxed);
	stack->count = count;
	stack->flags = flags;
	memcpy(stack->frames, frames, count * sizeof *frames);
	atomic_store_explicit(&table->used, end, memory_order_relaxed);
	table->capacity = MAX_OF(table->capacity, end);
	reader->copies[REC_STACKS] = grown;
	reader->view.tables[REC_STACKS] = grown;
	return (stack_id)(at / 8);
}

/* -- opening --------------------------------------------------------------- */

static int reader_fail_close(struct reader *reader, int error)
{
	char message[sizeof reader->error];
	memcpy(message, reader->error, sizeof message);
	reader_close(reader);
	memcpy(reader->error, message, sizeof message);
	return error;
}

/* `reader` has its path and fd. */
static int start(struct reader *reader, bool briefly)
{
	int error = briefly ? copy_briefly(reader) : reader_refresh(reader);
	return error ? reader_fail_close(reader, error) : 0;
}

static int open_path(const char *path, struct reader *ret_reader)
{
	struct stat stat;
	*ret_reader = READER_CLOSED;
	snprintf(ret_reader->path, sizeof ret_reader->path, "%s", path);
	if (strlen(path) >= sizeof ret_reader->path)
		return fail(ret_reader, -ENAMETOOLONG, "the name of the recording is too long (%zu bytes)",
			    strlen(path));
	/* O_NONBLOCK: a pipe of that name must not hang us. */
	ret_reader->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (ret_reader->fd < 0) {
		int error = -errno;
		return fail(ret_reader, error,
			    error == -ENOENT   ? "no recording '%s'; 'whoholds list' shows those there are"
			    : error == -EACCES ? "cannot open '%s': %s; try as its user or as root"
					       : "cannot open '%s': %s",
			    path, strerror(-error));
	}
	if (fstat(ret_reader->fd, &stat) != 0 || !S_ISREG(stat.st_mode)) {
		fail(ret_reader, -EINVAL,
		     "'%s' is not a whoholds recording but a %s; 'whoholds list' shows those there are", path,
		     S_ISDIR(stat.st_mode) ? "directory" : "special file");
		return reader_fail_close(ret_reader, -EINVAL);
	}
	return 0;
}

int reader_open(const char *path, struct reader *ret_reader)
{
	int error = open_path(path, ret_reader);
	return error ? error : start(ret_reader, false);
}

int reader_attach(const char *path, struct reader *ret_reader)
{
	int error = open_path(path, ret_reader);
	return error ? error : start(ret_reader, true);
}

/* One line of /proc/PID/maps; `ret_name` points into it. */
static bool maps_line(char *line, struct reader_piece *ret_piece, uint64_t *ret_inode, char **ret_name)
{
	unsigned long long low, high, offset, inode;
	int name = 0;
	if (sscanf(line, "%llx-%llx %*s %llx %*s %llu %n", &low, &high, &offset, &inode, &name) != 4 ||
	    high <= low || !name)
		return false;
	*ret_piece = (struct reader_piece){ .offset = offset, .bytes = high - low, .address = low };
	*ret_inode = inode;
	*ret_name = line + name;
	(*ret_name)[strcspn(*ret_name, "\n")] = '\0';
	return true;
}

/* "/dir/prog.42.whr", perhaps removed meanwhile. Cuts the kernel's remark off. */
static bool is_recording(char *name)
{
	static const char deleted[] = " (deleted)";
	size_t length = strlen(name), suffix = strlen(REC_SUFFIX);
	if (length > sizeof deleted && strcmp(name + length - (sizeof deleted - 1), deleted) == 0)
		name[length -= sizeof deleted - 1] = '\0';
	return strcmp(name, PRIVATE_NAME) == 0 ||
	       (length > suffix && strcmp(name + length - suffix, REC_SUFFIX) == 0);
}

/* Where the recording is mapped in the process, and the file's name in `reader->path`. */
static int find_mapping(struct reader *reader, pid_t pid, uint64_t *ret_inode)
{
	char path[64];
	char *line = NULL;
	size_t room = 0;
	snprintf(path, sizeof path, "/proc/%d/maps", pid);
	FILE *maps = fopen(path, "re");
	if (!maps)
		return errno == ENOENT ? -ESRCH : -errno;
	int error = 0;
	errno = 0;
	while (!error && getline(&line, &room, maps) > 0) {
		struct reader_piece piece;
		uint64_t inode;
		char *name;
		if (!maps_line(line, &piece, &inode, &name) || !is_recording(name) ||
		    (reader->piece_count && inode != *ret_inode))
			continue;
		struct reader_piece *pieces =
		    realloc(reader->pieces, (reader->piece_count + 1) * sizeof *pieces);
		if (!pieces) {
			error = -ENOMEM;
			break;
		}
		pieces[reader->piece_count++] = piece;
		reader->pieces = pieces;
		*ret_inode = inode;
		snprintf(reader->path, sizeof reader->path, "%s", name);
	}
	if (ferror(maps))
		error = errno ? -errno : -EIO;
	free(line);
	fclose(maps);
	return error ? error : reader->piece_count ? 0 : -ENODATA;
}

/* The file itself, where it is still there under its name, seen as the process sees it. */
static int open_mapped(struct reader *reader, pid_t pid, uint64_t inode)
{
	char path[READER_PATH_BYTES + 32];
	struct stat stat;
	snprintf(path, sizeof path, "/proc/%d/root%s", pid, reader->path);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return -1;
	if (fstat(fd, &stat) == 0 && S_ISREG(stat.st_mode) && stat.st_ino == inode)
		return fd;
	close(fd);
	return -1;
}

static int open_process(pid_t pid, struct reader *ret_reader)
{
	uint64_t inode = 0;
	char path[64];
	*ret_reader = READER_CLOSED;
	int error = find_mapping(ret_reader, pid, &inode);
	if (error == -ESRCH)
		fail(ret_reader, error, "no process %d; 'whoholds list' shows those that run under whoholds",
		     pid);
	else if (error == -ENODATA)
		fail(ret_reader, error,
		     "process %d does not run under whoholds; start it with 'whoholds run', or with "
		     "LD_PRELOAD=libwhoholds.so",
		     pid);
	else if (error)
		fail(ret_reader, error, "cannot look into process %d: %s; %s", pid, strerror(-error),
		     geteuid() == 0 ? "it is protected, or this container lacks the capability SYS_PTRACE"
				    : "try as its user or as root");
	if (error)
		return reader_fail_close(ret_reader, error);
	ret_reader->fd = open_mapped(ret_reader, pid, inode);
	if (ret_reader->fd >= 0)
		return 0;
	snprintf(path, sizeof path, "/proc/%d/mem", pid);
	snprintf(ret_reader->path, sizeof ret_reader->path, "%s", path);
	ret_reader->memory_of = pid;
	ret_reader->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (ret_reader->fd < 0) {
		error = -errno;
		fail(ret_reader, error,
		     "cannot read the memory of process %d, where its recording is: %s; try as root, or "
		     "allow it with "
		     "'sysctl kernel.yama.ptrace_scope=0'",
		     pid, strerror(-error));
		return reader_fail_close(ret_reader, error);
	}
	return 0;
}

int reader_open_pid(pid_t pid, struct reader *ret_reader)
{
	int error = open_process(pid, ret_reader);
	return error ? error : start(ret_reader, false);
}

int reader_attach_pid(pid_t pid, struct reader *ret_reader)
{
	int error = open_process(pid, ret_reader);
	return error ? error : start(ret_reader, true);
}

void reader_close(struct reader *reader)
{
	if (reader->fd >= 0)
		close(reader->fd);
	free_copies(reader->copies);
	free(reader->pieces);
	*reader = READER_CLOSED;
}
