#include "reporter/symbolize/locate.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <elfutils/libdwelf.h>
#include <gelf.h>

#include "base/context.h"
#include "base/text.h"
#include "base/types.h"

#define DEBUG_FOLDER "/usr/lib/debug"

bool locate_alive(int32_t pid, uint64_t boot_ticks)
{
	char path[64];
	char line[1024];
	if (pid <= 0)
		return false;
	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	FILE *file = fopen(path, "re");
	if (!file)
		return false;
	size_t bytes = fread(line, 1, sizeof(line) - 1, file);
	fclose(file);
	line[bytes] = '\0';
	/* The name, in brackets, may hold brackets and spaces; field 3 is behind the last bracket. */
	const char *at = strrchr(line, ')');
	for (unsigned field = 2; at && field < 22; field++)
		at = strchr(at + 1, ' ');
	return at && strtoull(at + 1, NULL, 10) == boot_ticks;
}

/* A file of somebody else's choosing: a FIFO must not block, a device must not be touched. */
static int open_regular(const char *path)
{
	struct stat status;
	if (stat(path, &status) != 0)
		return -errno;
	if (!S_ISREG(status.st_mode))
		return -EINVAL;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode))
		return fd;
	close(fd);
	return -EINVAL;
}

static void put_hex(struct text *text, const uint8_t *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		text_format(text, "%02x", bytes[i]);
}

/* Whether the open file is the one that ran; `note` says why not. */
static bool is_wanted(const struct wanted *wanted, int fd, const char *path, struct text *note)
{
	struct stat status;
	Elf *elf = elf_begin(fd, ELF_C_READ, NULL);
	bool right = false;
	if (!elf || elf_kind(elf) != ELF_K_ELF) {
		text_format(note, "'%s' is not an ELF file", path);
	} else if (wanted->build_id_bytes) {
		const void *found;
		ssize_t count = dwelf_elf_gnu_build_id(elf, &found);
		/* A recording keeps 20 bytes of a longer one. */
		right = count >= (ssize_t)wanted->build_id_bytes &&
			(count == (ssize_t)wanted->build_id_bytes || wanted->build_id_bytes >= 20) &&
			memcmp(found, wanted->build_id, wanted->build_id_bytes) == 0;
		if (!right) {
			text_format(note, "'%s' is not the file that ran: it ", path);
			text_put(note, count > 0 ? "has build-id " : "has no build-id");
			put_hex(note, found, count > 0 ? MIN_OF((size_t)count, (size_t)20) : 0);
			text_put(note, ", the one that ran has ");
			put_hex(note, wanted->build_id, wanted->build_id_bytes);
		}
	} else {
		/* Nothing to compare: at least it must not have been written after the program had ended. */
		right = fstat(fd, &status) == 0 &&
			(!wanted->ended_real ||
			 (uint64_t)status.st_mtim.tv_sec * NSEC_PER_SEC + (uint64_t)status.st_mtim.tv_nsec <=
			     wanted->ended_real);
		if (!right)
			text_format(note, "'%s' has no build-id and was written after the program ended",
				    path);
	}
	elf_end(elf);
	return right;
}

/* Opens `path` if it is the file. Only the first reason why not is kept: that of the likeliest place. */
static int try_path(const struct wanted *wanted, struct located *located, const char *path)
{
	struct text note = TEXT_OF(located->note);
	struct text scratch = { .at = located->path, .size = sizeof(located->path) };
	bool noted = located->note[0] != '\0';
	int fd = open_regular(path);
	if (fd < 0) {
		if (!noted)
			text_format(&note, "'%s' can't be opened: %s", path, strerrordesc_np(-fd));
		return fd;
	}
	if (!is_wanted(wanted, fd, path, noted ? &scratch : &note)) {
		close(fd);
		return -ESTALE;
	}
	struct text name = TEXT_OF(located->path);
	text_put(&name, path);
	return fd;
}

static void build_id_path(const struct wanted *wanted, const char *root, char path[LOCATE_PATH_BYTES])
{
	struct text text = { .at = path, .size = LOCATE_PATH_BYTES };
	text_format(&text, "%s" DEBUG_FOLDER "/.build-id/%02x/", root, wanted->build_id[0]);
	put_hex(&text, wanted->build_id + 1, wanted->build_id_bytes - 1);
	text_put(&text, ".debug");
}

static bool same_file(const char *one, const char *other)
{
	struct stat a;
	struct stat b;
	return stat(one, &a) == 0 && stat(other, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* The files that the process has mapped at the module's place: there also when the path is gone. */
static int try_mapped(const struct wanted *wanted, struct located *located)
{
	char path[512];
	int fd = -ENOENT;
	snprintf(path, sizeof(path), "/proc/%d/map_files", wanted->pid);
	DIR *folder = opendir(path);
	if (!folder)
		return -errno;
	for (struct dirent *entry; fd < 0 && (entry = readdir(folder));) {
		uint64_t start;
		uint64_t end;
		if (sscanf(entry->d_name, "%lx-%lx", &start, &end) != 2 || start < wanted->start ||
		    start >= wanted->end)
			continue;
		snprintf(path, sizeof(path), "/proc/%d/map_files/%s", wanted->pid, entry->d_name);
		fd = try_path(wanted, located, path);
	}
	closedir(folder);
	return fd;
}

int locate_open(const struct wanted *wanted, struct located *ret_located)
{
	ret_located->path[0] = ret_located->note[0] = '\0';
	char plain[LOCATE_PATH_BYTES];
	struct text text = TEXT_OF(plain);
	size_t length = strlen(wanted->path);
	const char *gone = strstr(wanted->path, " (deleted)");
	text_bytes(&text, wanted->path,
		   gone && !gone[strlen(" (deleted)")] ? (size_t)(gone - wanted->path) : length);
	if (text.cut)
		return -ENAMETOOLONG;

	char path[LOCATE_PATH_BYTES] = "";
	int fd = -ENOENT;
	if (wanted->pid) {
		/* In a container the same path is another file. */
		text = TEXT_OF(path);
		text_format(&text, "/proc/%d/root%s", wanted->pid, plain);
		if (!text.cut && access(path, R_OK) == 0 && !same_file(path, plain))
			fd = try_path(wanted, ret_located, path);
	}
	if (fd < 0)
		fd = try_path(wanted, ret_located, plain);
	if (fd < 0 && wanted->pid && wanted->is_program) {
		snprintf(path, sizeof(path), "/proc/%d/exe", wanted->pid);
		fd = try_path(wanted, ret_located, path);
	}
	if (fd < 0 && wanted->pid)
		fd = try_mapped(wanted, ret_located);
	if (fd < 0 && wanted->build_id_bytes > 1) {
		/* Its separate debug file has the same addresses and symbols. */
		build_id_path(wanted, "", path);
		fd = try_path(wanted, ret_located, path);
	}
	if (fd >= 0)
		ret_located->note[0] = '\0';
	return fd;
}

/* -- separate debug files ---------------------------------------------------- */

/* The checksum of .gnu_debuglink, which is zlib's, of a whole file. */
static uint32_t file_crc(int fd)
{
	uint32_t table[256];
	for (uint32_t i = 0; i < COUNT_OF(table); i++) {
		table[i] = i;
		for (unsigned bit = 0; bit < 8; bit++)
			table[i] = table[i] >> 1 ^ (table[i] & 1 ? UINT32_C(0xedb88320) : 0);
	}
	unsigned char bytes[65536];
	uint32_t crc = UINT32_MAX;
	off_t at = 0;
	for (ssize_t count; (count = pread(fd, bytes, sizeof(bytes), at)) > 0; at += count)
		for (ssize_t i = 0; i < count; i++)
			crc = table[(crc ^ bytes[i]) & 0xff] ^ crc >> 8;
	return ~crc;
}

static int try_debug(const struct wanted *wanted, const char *main_path, const char *path, uint32_t crc)
{
	char unused[LOCATE_PATH_BYTES];
	struct text note = TEXT_OF(unused);
	/* A link to the stripped file itself would be found again and again. */
	if (same_file(main_path, path))
		return -ENOENT;
	int fd = open_regular(path);
	if (fd < 0)
		return fd;
	if (wanted->build_id_bytes ? is_wanted(wanted, fd, path, &note) : file_crc(fd) == crc)
		return fd;
	close(fd);
	return -ESTALE;
}

int locate_debug(const struct wanted *wanted, const char *path, const char *link, uint32_t crc,
		 char ret_path[LOCATE_PATH_BYTES])
{
	char inside[32] = "";
	if (wanted->pid)
		snprintf(inside, sizeof(inside), "/proc/%d/root", wanted->pid);
	const char *const roots[] = { "", inside };
	unsigned root_count = wanted->pid ? 2 : 1;
	int fd = -ENOENT;
	for (unsigned i = 0; i < root_count && fd < 0 && wanted->build_id_bytes > 1; i++) {
		build_id_path(wanted, roots[i], ret_path);
		fd = try_debug(wanted, path, ret_path, crc);
	}
	/* A name, not a way to somewhere else. */
	if (fd >= 0 || !link || !*link || strchr(link, '/'))
		return fd;
	/* Where the file was found, and where it is said to be: /proc/PID/exe has no neighbours. */
	const char *const files[] = { path, wanted->path };
	static const char *const places[] = { "%.*s/%s", "%.*s/.debug/%s", DEBUG_FOLDER "%.*s/%s" };
	for (unsigned i = 0; i < COUNT_OF(files) * COUNT_OF(places) && fd < 0; i++) {
		const char *file = files[i / COUNT_OF(places)];
		const char *slash = strrchr(file, '/');
		struct text text = { .at = ret_path, .size = LOCATE_PATH_BYTES };
		text_format(&text, places[i % COUNT_OF(places)], slash ? (int)(slash - file) : 0, file, link);
		if (!text.cut)
			fd = try_debug(wanted, path, ret_path, crc);
	}
	return fd;
}
