#include "reporter/scan/wakers.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "base/digits.h"
#include "base/text.h"
#include "platform/files.h"
#include "platform/process.h"
#include "platform/sys.h"
#include "registry/recording.h"
#include "reporter/scan/timers.h"

/* -- channels -------------------------------------------------------------- */

/* Fewer bytes than this can't be a pointer: the tokens of a make that runs several jobs, say. */
#define POINTER_BYTES 8
/* More descriptors than this are not asked one by one. */
#define DESCRIPTORS_MOST 4096u

struct channel_look {
	enum channels found;
	unsigned asked;
};

static bool begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

/* Devices that pass nothing on, and files, which nobody keeps pointers in that are to come back. */
static bool leads_nowhere(const char *target)
{
	static const char *const kinds[] = { "anon_inode:[event",
					     "anon_inode:inotify",
					     "anon_inode:[timerfd]",
					     "anon_inode:[signalfd]",
					     "anon_inode:[pidfd]",
					     "/dev/null",
					     "/dev/urandom",
					     "/dev/random",
					     "/dev/zero",
					     "/dev/pts/",
					     "/dev/tty",
					     "/dev/shm/" };
	for (unsigned i = 0; i < COUNT_OF(kinds); i++)
		if (begins(target, kinds[i]))
			return true;
	return *target == '/' && !begins(target, "/dev/");
}

static bool holds_something(int number)
{
	int unread = 0;
	int fd = files_borrow(number);
	if (fd < 0)
		return true;
	long error = sys_call3(SYS_ioctl, fd, FIONREAD, &unread);
	sys_close(fd);
	/* Sockets that listen, and the like, hold nothing. */
	return error == 0 && unread >= POINTER_BYTES;
}

/* What can only be written to brings nothing back. The link itself says how the file was opened. */
static bool is_readable_descriptor(const char *path)
{
	struct stat link = { 0 };
	return sys_call4(SYS_newfstatat, AT_FDCWD, path, &link, AT_SYMLINK_NOFOLLOW) != 0 ||
	       link.st_mode & S_IRUSR;
}

static bool look_at_descriptor(int32_t number, void *data)
{
	struct channel_look *look = data;
	char path[64], target[64];
	struct text text = TEXT_OF(path);
	text_format(&text, "/proc/%d/fd/%d", sys_pid(), number);
	long length = sys_readlink(path, target, sizeof target - 1);
	if (length <= 0)
		return true; /* closed meanwhile */
	target[length] = '\0';
	if (leads_nowhere(target) || !is_readable_descriptor(path))
		return true;
	bool standard = number <= 2;
	if (++look->asked > DESCRIPTORS_MOST || (!standard && holds_something(number))) {
		look->found = CHANNELS_FULL;
		return false;
	}
	if (!standard)
		look->found = CHANNELS_OUTSIDE;
	return true;
}

enum channels channels_look(void)
{
	struct channel_look look = { .found = CHANNELS_NONE };
	char path[64];
	struct text text = TEXT_OF(path);
	text_format(&text, "/proc/%d/fd", sys_pid());
	int directory = sys_open(path, O_RDONLY | O_DIRECTORY, 0);
	if (directory < 0)
		return CHANNELS_UNKNOWN;
	bool whole = process_numbers(directory, look_at_descriptor, &look);
	sys_close(directory);
	return whole || look.found == CHANNELS_FULL ? look.found : CHANNELS_UNKNOWN;
}

/* -- what the modules can do ----------------------------------------------- */

/* The strings of a module's dynamic symbols, as far as they can be read. */
struct strings {
	const char *at;
	uint64_t bytes;
};

static bool is_readable(const struct image *image, uint64_t start, uint64_t bytes)
{
	struct range piece;
	return start && bytes && start + bytes > start &&
	       ranges_next(&image->readable, start, start + bytes, &piece) && piece.start == start &&
	       piece.end >= start + bytes;
}

static struct strings strings_of(const struct image *image, uint64_t dynamic, uint64_t bytes, uint64_t bias)
{
	struct strings strings = { NULL, 0 };
	if (!is_readable(image, dynamic, bytes))
		return strings;
	const Elf64_Dyn *entry = (const Elf64_Dyn *)dynamic;
	uint64_t at = 0;
	for (uint64_t i = 0; i < bytes / sizeof *entry && entry[i].d_tag != DT_NULL; i++) {
		if (entry[i].d_tag == DT_STRTAB)
			at = entry[i].d_un.d_ptr;
		if (entry[i].d_tag == DT_STRSZ)
			strings.bytes = entry[i].d_un.d_val;
	}
	/* The loader adds the bias; in a module that it has not got to yet it is still missing. */
	if (at < bias)
		at += bias;
	strings.at = is_readable(image, at, strings.bytes) ? (const char *)at : NULL;
	return strings;
}

/* A name's end will do: linkers keep "cancel" as the end of "pthread_cancel". */
static bool names(const struct strings *strings, const char *name)
{
	uint64_t bytes = strlen(name) + 1;
	if (!strings->at || strings->bytes < bytes)
		return false;
	const char *end = strings->at + strings->bytes - bytes;
	for (const char *at = strings->at; at <= end; at++) {
		at = memchr(at, *name, (size_t)(end - at) + 1);
		if (!at)
			return false;
		if (memcmp(at, name, bytes) == 0)
			return true;
	}
	return false;
}

static bool names_any(const struct strings *strings, const char *const *list)
{
	for (; *list; list++)
		if (names(strings, *list))
			return true;
	return false;
}

static bool is_ours_or_libcs(const struct image *image, uint64_t start)
{
	const struct range *known[] = { &image->libc, &image->loader, &image->shim };
	for (unsigned i = 0; i < COUNT_OF(known); i++)
		if (start >= known[i]->start && start < known[i]->end)
			return true;
	return false;
}

static void look_at_module(const struct image *image, const struct map *map, struct wakers *wakers)
{
	static const char *const cancels[] = { "pthread_cancel", "thrd_cancel", NULL };
	static const char *const jumps[] = { "longjmp", "__longjmp_chk", "setcontext", "swapcontext", NULL };
	static const char *const ways_out[] = { "mq_notify", "io_submit", "io_uring_setup",
						"io_uring_queue_init", NULL };
	const Elf64_Ehdr *head = (const Elf64_Ehdr *)map->start;
	if (map->end - map->start < sizeof *head || memcmp(head->e_ident, ELFMAG, SELFMAG) != 0 ||
	    head->e_phentsize != sizeof(Elf64_Phdr) || head->e_phoff > map->end - map->start ||
	    head->e_phoff + (uint64_t)head->e_phnum * sizeof(Elf64_Phdr) > map->end - map->start)
		return;
	const Elf64_Phdr *at = (const Elf64_Phdr *)(map->start + head->e_phoff);
	uint64_t bias = head->e_type == ET_DYN ? map->start : 0;
	for (unsigned i = 0; i < head->e_phnum; i++) {
		if (at[i].p_type != PT_DYNAMIC || is_ours_or_libcs(image, map->start))
			continue;
		struct strings strings = strings_of(image, bias + at[i].p_vaddr, at[i].p_memsz, bias);
		/* Of what can't be read, everything may be said. */
		wakers->cancel |= !strings.at || names_any(&strings, cancels);
		wakers->jump |= !strings.at || names_any(&strings, jumps);
		wakers->unknown |= names_any(&strings, ways_out);
	}
}

void wakers_find(const struct image *image, struct wakers *ret_wakers)
{
	*ret_wakers = (struct wakers){ .unknown = !timers_readable(recording->pid) };
	for (uint64_t i = 0; i < image->maps.count; i++) {
		const struct map *map = &image->maps.at[i];
		if ((map->flags & (MAP_OF_FILE | MAP_READ | MAP_IS_SHARED)) == (MAP_OF_FILE | MAP_READ))
			look_at_module(image, map, ret_wakers);
	}
}

/* -- handlers -------------------------------------------------------------- */

static bool status_mask(const char *status, const char *name, uint64_t *ret_mask)
{
	const char *at = digits_behind(status, name);
	if (at)
		digits_hex(at, ret_mask);
	return at;
}

struct kernel_action {
	uint64_t handler, flags, restorer, mask;
};

/* A copy of the process has its actions, too. */
static bool is_restarted(int signal)
{
	struct kernel_action action = { 0 };
	return sys_call4(SYS_rt_sigaction, signal, NULL, &action, sizeof action.mask) == 0 &&
	       action.handler > (uint64_t)(uintptr_t)SIG_IGN && action.flags & SA_RESTART;
}

enum handled wakers_of_thread(int32_t pid, int32_t tid)
{
	char status[4096];
	uint64_t caught, blocked, pending, shared;
	if (process_read_task(pid, tid, "status", status, sizeof status) <= 0 ||
	    !status_mask(status, "\nSigCgt:", &caught) || !status_mask(status, "\nSigBlk:", &blocked) ||
	    !status_mask(status, "\nSigPnd:", &pending) || !status_mask(status, "\nShdPnd:", &shared))
		return HANDLED_ENDED;
	/* One that waits to be taken may bring a word with it. */
	if (pending | shared)
		return HANDLED_ENDED;
	uint64_t comes = caught & ~blocked & ~PROCESS_SIGNALS_OF_ITSELF;
	if (!comes)
		return HANDLED_NEVER;
	for (int signal = 1; signal <= 64; signal++)
		if (comes & PROCESS_SIGNAL(signal) && !is_restarted(signal))
			return HANDLED_ENDED;
	return HANDLED_RESTARTED;
}
