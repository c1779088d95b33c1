#include "reporter/recording/discover.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "registry/format.h"

static const char *const standard[] = { "/dev/shm", "/tmp" };
#define STANDARD_COUNT (sizeof standard / sizeof standard[0])

/* Whether a directory is ours alone. Return: 0, -ENOENT, or -EPERM. */
static int check_directory(const char *path)
{
	struct stat stat;
	if (lstat(path, &stat) != 0)
		return errno == ENOENT || errno == ENOTDIR ? -ENOENT : -errno;
	return S_ISDIR(stat.st_mode) && stat.st_uid == geteuid() && (stat.st_mode & 022) == 0 ? 0 : -EPERM;
}

int discover_directory(unsigned index, char ret_path[DISCOVER_PATH_BYTES])
{
	const char *own = getenv("WHOHOLDS_DIR");
	if (own && *own) {
		if (index > 0 || strlen(own) >= DISCOVER_PATH_BYTES)
			return -ENOENT;
		/* Whoever names a directory means it, whoever's it is and wherever a link leads. */
		snprintf(ret_path, DISCOVER_PATH_BYTES, "%s", own);
		return 0;
	}
	if (index >= STANDARD_COUNT)
		return -ENOENT;
	snprintf(ret_path, DISCOVER_PATH_BYTES, "%s/whoholds-%u", standard[index], (unsigned)geteuid());
	int error = check_directory(ret_path);
	return error == -EPERM ? -EPERM : 0;
}

/* Return: 0, or a negative errno. */
static int make_directory(const char *path, bool ours)
{
	struct stat stat;
	int error = mkdir(path, 0700) == 0 || errno == EEXIST ? 0 : -errno;
	if (!error && ours)
		error = check_directory(path);
	if (!error && lstat(path, &stat) == 0 && !S_ISDIR(stat.st_mode) && !S_ISLNK(stat.st_mode))
		error = -ENOTDIR;
	if (!error && access(path, W_OK | X_OK) != 0)
		error = -errno;
	return error;
}

int discover_make_directory(const char *named, char ret_path[DISCOVER_PATH_BYTES])
{
	char path[DISCOVER_PATH_BYTES];
	int error = -ENOENT;
	if (named) {
		if (strlen(named) >= sizeof path)
			return -ENAMETOOLONG;
		snprintf(path, sizeof path, "%s", named);
		error = make_directory(path, false);
	}
	for (unsigned i = 0; !named && error && i < STANDARD_COUNT; i++) {
		snprintf(path, sizeof path, "%s/whoholds-%u", standard[i], (unsigned)geteuid());
		error = make_directory(path, true);
	}
	if (!error)
		snprintf(ret_path, DISCOVER_PATH_BYTES, "%s", path);
	return error;
}

/* The pid in "NAME.PID.whr"; 0: the name has another form. */
static pid_t pid_of_name(const char *name)
{
	size_t length = strlen(name), suffix = strlen(REC_SUFFIX);
	if (length <= suffix || strcmp(name + length - suffix, REC_SUFFIX) != 0)
		return 0;
	size_t at = length - suffix;
	while (at && name[at - 1] >= '0' && name[at - 1] <= '9')
		at--;
	long pid = strtol(name + at, NULL, 10);
	return at && name[at - 1] == '.' && pid > 0 && pid <= INT32_MAX ? (pid_t)pid : 0;
}

static int add(struct discovery *discovery, const char *directory, const char *name, const struct stat *stat)
{
	if (discovery->count == discovery->room) {
		size_t room = discovery->room ? discovery->room * 2 : 32;
		struct discovered *found = realloc(discovery->found, room * sizeof *found);
		if (!found)
			return -ENOMEM;
		discovery->found = found;
		discovery->room = room;
	}
	struct discovered *next = &discovery->found[discovery->count];
	if (asprintf(&next->path, "%s/%s", directory, name) < 0)
		return -ENOMEM;
	next->disk_bytes = (uint64_t)stat->st_blocks * 512;
	next->pid = pid_of_name(name);
	discovery->count++;
	return 0;
}

static int by_path(const void *left, const void *right)
{
	const struct discovered *one = left, *other = right;
	return strcmp(one->path, other->path);
}

/* Those of one directory, added to `discovery`. Return: 0 or -ENOMEM. */
static int discover_in(const char *directory, struct discovery *discovery)
{
	DIR *entries = opendir(directory);
	int error = 0;
	for (struct dirent *entry; entries && !error && (entry = readdir(entries));) {
		struct stat stat;
		size_t length = strlen(entry->d_name), suffix = strlen(REC_SUFFIX);
		if (length <= suffix || strcmp(entry->d_name + length - suffix, REC_SUFFIX) != 0)
			continue;
		if (fstatat(dirfd(entries), entry->d_name, &stat, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISREG(stat.st_mode))
			error = add(discovery, directory, entry->d_name, &stat);
	}
	if (entries)
		closedir(entries);
	if (discovery->count)
		qsort(discovery->found, discovery->count, sizeof discovery->found[0], by_path);
	return error;
}

int discover(struct discovery *ret_discovery)
{
	char path[DISCOVER_PATH_BYTES];
	int error;
	*ret_discovery = (struct discovery){ 0 };
	for (unsigned i = 0; (error = discover_directory(i, path)) != -ENOENT; i++) {
		if (!error)
			error = discover_in(path, ret_discovery);
		if (error == -ENOMEM)
			return error;
	}
	return 0;
}

void discovery_release(struct discovery *discovery)
{
	for (size_t i = 0; i < discovery->count; i++)
		free(discovery->found[i].path);
	free(discovery->found);
	*discovery = (struct discovery){ 0 };
}
