#include "registry/recording_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/context.h"
#include "platform/process.h"
#include "platform/sys.h"
#include "registry/format.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

static const char *error_text(int error)
{
	switch (-error) {
	case EACCES:
	case EPERM:
		return "permission denied";
	case ENOENT:
		return "no such directory";
	case ENOTDIR:
		return "not a directory";
	case ELOOP:
		return "a link that somebody else may have put there";
	case EROFS:
		return "read-only file system";
	case ENOSPC:
		return "no space left";
	case EFBIG:
		return "the limit on file sizes (ulimit -f) is too low";
	case EUCLEAN:
		return "it belongs to another user or others may write to it";
	default:
		return "it can't be used";
	}
}

/*
 * Opens a directory for recordings. One that we chose (`ours`) must be owned by us and closed to
 * others; one that the user named must only not be a link made by a third party.
 */
static int open_directory(const char *path, bool ours)
{
	struct stat status = { .st_mode = 0 };
	sys_call2(SYS_mkdir, path, 0700);
	long error = sys_call4(SYS_newfstatat, AT_FDCWD, path, &status, AT_SYMLINK_NOFOLLOW);
	if (error < 0)
		return (int)error;
	uint32_t uid = (uint32_t)sys_call0(SYS_geteuid);
	if (S_ISLNK(status.st_mode) && (ours || (status.st_uid != uid && status.st_uid != 0)))
		return -ELOOP;
	int fd = sys_open(path, O_RDONLY | O_DIRECTORY | (ours ? O_NOFOLLOW : 0), 0);
	if (fd < 0)
		return fd;
	error = sys_call2(SYS_fstat, fd, &status);
	if (error == 0) {
		bool good = ours ? status.st_uid == uid && !(status.st_mode & 077)
				 : status.st_uid == uid || status.st_uid == 0 || (status.st_mode & S_ISVTX);
		if (!good)
			error = -EUCLEAN;
	}
	if (error < 0) {
		sys_close(fd);
		return (int)error;
	}
	return fd;
}

/*
 * A file of that name is in the way: what this very process left when it became another program
 * is removed; what an earlier process of the same number left is kept under a longer name.
 */
static void make_way(const struct recording_file *file, int directory, const char *name, const char *program)
{
	struct rec_header header;
	memset(&header, 0, sizeof header);
	long fd = sys_call4(SYS_openat, directory, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0);
	if (fd >= 0) {
		sys_read((int)fd, &header, sizeof header);
		sys_close((int)fd);
	}
	bool ours = header.started_boot_ticks == file->started_ticks && header.state != REC_RUNNING;
	if (header.magic != REC_MAGIC || (ours && header.alerts == 0)) {
		sys_call3(SYS_unlinkat, directory, name, 0);
		return;
	}
	char longer[300];
	struct text text = TEXT_OF(longer);
	text_format(&text, "%s.%d.%lu" REC_SUFFIX, program, sys_pid(), header.started_boot_ticks);
	sys_call4(SYS_renameat, directory, name, directory, longer);
}

#define HIDDEN_FORMAT ".%d" REC_HIDDEN_SUFFIX

void recording_file_hidden(const struct recording_file *file, struct text *path)
{
	text_bytes(path, file->path, file->directory_bytes);
	text_format(path, HIDDEN_FORMAT, sys_pid());
}

/* Where it is made. The time is in it since a process of another pid namespace may have our number. */
#define UNFINISHED_FORMAT ".%d.%lx.new"

static int make_in(const char *path, bool ours, struct recording_file *file)
{
	int directory = open_directory(path, ours);
	if (directory < 0)
		return directory;
	char name[64];
	struct text text = TEXT_OF(name);
	text_format(&text, UNFINISHED_FORMAT, sys_pid(), file->started_ticks);
	int flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	long fd = sys_call4(SYS_openat, directory, name, flags, 0600);
	if (fd == -EEXIST) {
		sys_call3(SYS_unlinkat, directory, name, 0);
		fd = sys_call4(SYS_openat, directory, name, flags, 0600);
	}
	if (fd < 0) {
		sys_close(directory);
		return (int)fd;
	}
	/* The umask may have taken bits that we need; nobody else's are ever given. */
	sys_call2(SYS_fchmod, fd, 0600);
	long error = sys_call2(SYS_ftruncate, fd, file->bytes);
	if (error == 0) {
		long at =
		    sys_call6(SYS_mmap, 0, (long)file->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (at < 0 && at > -4096)
			error = at;
		else
			file->at = (void *)at;
		/* On a disk a page that is touched first would bring its neighbours in: zeroes, of which most are never used. */
		if (error == 0 && !sys_sandboxed)
			sys_call3(SYS_madvise, file->at, file->bytes, MADV_RANDOM);
	}
	sys_close((int)fd);
	if (error == 0) {
		file->is_private = false;
		struct text full = TEXT_OF(file->path);
		text_format(&full, "%s/", path);
		file->directory_bytes = (uint32_t)full.used;
		text_put(&full, name);
		/* What the program that we were before exec left. */
		char hidden[32];
		struct text exec = TEXT_OF(hidden);
		text_format(&exec, HIDDEN_FORMAT, sys_pid());
		sys_call3(SYS_unlinkat, directory, hidden, 0);
		error = recording_file_reserve(file, 0, REC_HEADER_BYTES);
		if (error < 0)
			sys_call2(SYS_munmap, file->at, file->bytes);
	}
	if (error < 0) {
		sys_call3(SYS_unlinkat, directory, name, 0);
		file->path[0] = '\0';
	}
	sys_close(directory);
	return (int)error;
}

#define NO_REPLACE 1u /* RENAME_NOREPLACE of linux/fs.h */

void recording_file_publish(struct recording_file *file, const char *program)
{
	if (file->is_private)
		return;
	char name[280];
	struct text text = TEXT_OF(name);
	text_format(&text, "%.*s.%d" REC_SUFFIX, 200, program, sys_pid());

	static char path[sizeof file->path]; /* static: hooks run on stacks of 16 KiB */
	struct text full = TEXT_OF(path);
	text_bytes(&full, file->path, file->directory_bytes);
	text_put(&full, name);
	if (full.cut)
		return;
	/* Renamed, not linked anew: /proc/PID/maps then shows the new name, by which others find it. */
	long error = sys_call5(SYS_renameat2, AT_FDCWD, file->path, AT_FDCWD, path, NO_REPLACE);
	if (error == -EEXIST) {
		path[file->directory_bytes] = '\0';
		int directory = sys_open(path, O_RDONLY | O_DIRECTORY, 0);
		path[file->directory_bytes] = *name;
		if (directory < 0)
			return;
		make_way(file, directory, name, program);
		sys_close(directory);
		error = sys_call5(SYS_renameat2, AT_FDCWD, file->path, AT_FDCWD, path, NO_REPLACE);
	}
	if (error < 0) /* A file system that can't promise to replace nothing. */
		error = sys_call4(SYS_renameat, AT_FDCWD, file->path, AT_FDCWD, path);
	if (error == 0)
		memcpy(file->path, path, full.used + 1);
}

/* Past this limit ftruncate would not fail but kill the program with SIGXFSZ. */
static bool limit_allows(size_t bytes)
{
	struct rlimit limit = { .rlim_cur = RLIM_INFINITY };
	if (sys_call4(SYS_prlimit64, 0, RLIMIT_FSIZE, NULL, &limit) < 0)
		return true;
	return limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= bytes;
}

static int make_private(struct recording_file *file)
{
	file->is_private = true;
	file->path[0] = '\0';
	long fd =
	    limit_allows(file->bytes) ? sys_call2(SYS_memfd_create, "whoholds", 1 /* MFD_CLOEXEC */) : -EFBIG;
	int flags = MAP_SHARED;
	if (fd >= 0 && sys_call2(SYS_ftruncate, fd, file->bytes) < 0) {
		sys_close((int)fd);
		fd = -1;
	}
	if (fd < 0)
		flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
	long at =
	    sys_call6(SYS_mmap, 0, (long)file->bytes, PROT_READ | PROT_WRITE, flags, fd < 0 ? -1 : fd, 0);
	if (fd >= 0)
		sys_close((int)fd);
	if (at < 0 && at > -4096)
		return (int)at;
	file->at = (void *)at;
	return 0;
}

int recording_file_make(struct recording_file *file, const char *directory, size_t bytes,
			struct text *ret_reason)
{
	memset(file, 0, sizeof *file);
	file->bytes = bytes;
	file->started_ticks = process_started_ticks();
	uint32_t uid = (uint32_t)sys_call0(SYS_geteuid);
	int error = -EFBIG;
	char path[512];
	struct text text = TEXT_OF(path);
	if (limit_allows(bytes)) {
		if (*directory) {
			text_put(&text, directory);
			error = text.cut ? -ENAMETOOLONG : make_in(path, false, file);
		} else {
			static const char *const places[] = { "/dev/shm", "/tmp" };
			for (size_t i = 0; error && i < COUNT_OF(places); i++) {
				text = TEXT_OF(path);
				text_format(&text, "%s/whoholds-%u", places[i], uid);
				error = make_in(path, true, file);
			}
		}
	} else {
		text_put(&text, *directory ? directory : "/dev/shm");
	}
	if (error == 0)
		return 0;
	text_format(ret_reason, "can't record in '%s': %s", path, error_text(error));
	return make_private(file);
}

int recording_file_reserve(struct recording_file *file, size_t from, size_t to)
{
	from &= ~(size_t)4095;
	to = (to + 4095) & ~(size_t)4095;
	if (to > file->bytes || sys_sandboxed)
		return -ENOSPC;
	long error = sys_call3(SYS_madvise, (char *)file->at + from, to - from, MADV_POPULATE_WRITE);
	if (error == 0)
		return 0;
	if (error != -EINVAL)
		return -ENOSPC;
	/* Before Linux 5.14: plain memory can't fail that way, and a file is reserved by its name. */
	if (file->is_private)
		return 0;
	int fd = sys_open(file->path, O_RDWR | O_NOFOLLOW, 0);
	if (fd < 0)
		return -ENOSPC;
	error = sys_call4(SYS_fallocate, fd, 0, from, to - from);
	sys_close(fd);
	return error < 0 ? -ENOSPC : 0;
}
