#include "platform/files.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>

#include "base/context.h"
#include "base/text.h"
#include "platform/process.h"
#include "platform/sys.h"

/* Of headers that are newer than Debian 11's. */
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif
#define RANGE_UNSHARE 2u       /* CLOSE_RANGE_UNSHARE of linux/close_range.h, Linux 5.9 */
#define PIDFD_OF_THREAD O_EXCL /* PIDFD_THREAD of linux/pidfd.h, Linux 6.9 */

/* A filter that we did not see come (a container's, a service manager's) may kill for calls that it does not know. */
static bool is_filtered(void)
{
	return sys_call1(SYS_prctl, 21 /* PR_GET_SECCOMP */) != 0;
}

/* -- a table of one's own --------------------------------------------------- */

unsigned long files_clone_flags(void)
{
	return is_filtered() ? 0 : CLONE_FILES;
}

static bool close_number(int32_t number, void *data)
{
	const int *directory = data;
	if (number != *directory)
		sys_close(number);
	return true;
}

void files_stand_in(int first, int last)
{
	for (int number = first; number <= last; number++) {
		if (sys_call2(SYS_fcntl, number, F_GETFD) >= 0)
			continue;
		/* Not sys_open: what is executed keeps them. The root is there without a /dev, too. */
		long fd = sys_call4(SYS_openat, AT_FDCWD, "/dev/null", O_RDWR, 0);
		if (fd < 0)
			fd = sys_call4(SYS_openat, AT_FDCWD, "/", O_RDONLY | O_DIRECTORY, 0);
		if (fd >= 0 && fd != number) {
			sys_call3(SYS_dup3, fd, number, 0);
			sys_close((int)fd);
		}
	}
}

void files_close_from(int first)
{
	if (!is_filtered())
		sys_call3(SYS_close_range, first, ~0U, 0);
}

static void part(unsigned long flags)
{
	if (flags & CLONE_FILES) {
		if (sys_call3(SYS_close_range, 0, ~0U, RANGE_UNSHARE) == 0 ||
		    sys_call1(SYS_unshare, CLONE_FILES) != 0)
			return;
	}
	int directory = sys_open("/proc/thread-self/fd", O_RDONLY | O_DIRECTORY, 0);
	if (directory < 0)
		return;
	process_numbers(directory, close_number, &directory);
	sys_close(directory);
}

void files_part(unsigned long flags)
{
	part(flags);
	files_stand_in(0, 2);
}

/* -- what is the program's -------------------------------------------------- */

struct taking {
	int number;
	int32_t pid, self;
	bool filtered;
	int got;
};

static int reopen(int32_t tid, int number)
{
	char path[64];
	struct text text = TEXT_OF(path);
	text_format(&text, "/proc/self/task/%d/fd/%d", tid, number);
	/* A pipe that nobody reads must not hold us up. */
	int fd = sys_open(path, O_WRONLY | O_APPEND | O_NOCTTY | O_NONBLOCK, 0);
	if (fd >= 0)
		sys_call3(SYS_fcntl, fd, F_SETFL, O_APPEND);
	return fd;
}

static int hand_out(int32_t tid, bool of_thread, int number)
{
	int handle = (int)sys_call2(SYS_pidfd_open, tid, of_thread ? PIDFD_OF_THREAD : 0);
	if (handle < 0)
		return handle;
	int got = (int)sys_call3(SYS_pidfd_getfd, handle, number, 0);
	sys_close(handle);
	return got;
}

int files_borrow(int number)
{
	return is_filtered() ? -ENOSYS : hand_out(sys_pid(), false, number);
}

/* The main thread's table is the program's, and so is any other's; but one that has ended has none. */
static bool take_from(int32_t tid, void *data)
{
	struct taking *taking = data;
	if (tid == taking->self)
		return true;
	int got = taking->filtered ? -ENOSYS : hand_out(tid, tid != taking->pid, taking->number);
	taking->got = got >= 0 ? got : reopen(tid, taking->number);
	return taking->got < 0;
}

int files_take(int number)
{
	struct taking taking = {
		.number = number,
		.pid = sys_pid(),
		.self = sys_tid(),
		.filtered = is_filtered(),
		.got = -EBADF,
	};
	/* Mostly that is all. */
	if (!take_from(taking.pid, &taking))
		return taking.got;
	int directory = sys_open("/proc/self/task", O_RDONLY | O_DIRECTORY, 0);
	if (directory < 0)
		return taking.got;
	process_numbers(directory, take_from, &taking);
	sys_close(directory);
	return taking.got;
}
