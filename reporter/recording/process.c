#include "reporter/recording/process.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* A reporter thread that ticked this lately is alive wherever it is; its tick may be as long as an hour. */
#define TICK_FRESH (5 * NSEC_PER_SEC)

nsec_t process_now(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (nsec_t)now.tv_sec * NSEC_PER_SEC + (nsec_t)now.tv_nsec;
}

ssize_t process_file(char *ret_text, size_t bytes, const char *path_format, ...)
{
	char path[128];
	va_list list;
	va_start(list, path_format);
	vsnprintf(path, sizeof path, path_format, list);
	va_end(list);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	size_t used = 0;
	while (used + 1 < bytes) {
		ssize_t got = read(fd, ret_text + used, bytes - 1 - used);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			int error = errno;
			close(fd);
			return -error;
		}
		if (got == 0)
			break;
		used += (size_t)got;
	}
	close(fd);
	ret_text[used] = '\0';
	return (ssize_t)used;
}

int process_stat(pid_t pid, pid_t tid, struct process_stat *ret_stat)
{
	char text[1024];
	ssize_t length = tid ? process_file(text, sizeof text, "/proc/%d/task/%d/stat", pid, tid)
			     : process_file(text, sizeof text, "/proc/%d/stat", pid);
	if (length < 0)
		return length == -ENOENT ? -ESRCH : (int)length;
	/* The name may hold spaces and parentheses itself: it ends at the last one. */
	const char *open = strchr(text, '('), *close = strrchr(text, ')');
	if (!open || !close || close < open)
		return -ESRCH;
	struct process_stat stat = { 0 };
	unsigned long long user, system;
	long long parent, threads;
	unsigned long long flags, started;
	int found =
	    sscanf(close + 1,
		   " %c %lld %*d %*d %*d %*d %llu %*u %*u %*u %*u %llu %llu %*d %*d %*d %*d %lld %*d %llu",
		   &stat.state, &parent, &flags, &user, &system, &threads, &started);
	if (found != 7)
		return -ESRCH;
	snprintf(stat.name, sizeof stat.name, "%.*s", (int)(close - open - 1), open + 1);
	stat.parent = (pid_t)parent;
	stat.flags = flags;
	stat.cpu_ticks = user + system;
	stat.threads = threads;
	stat.started_boot_ticks = started;
	*ret_stat = stat;
	return 0;
}

bool process_is_zombie(const struct process_stat *stat)
{
	/* A main thread that has left by pthread_exit is a zombie too, with others still running. */
	return stat->state == 'X' || (stat->state == 'Z' && stat->threads <= 1);
}

static bool runs_as(pid_t pid, const struct rec_header *header)
{
	struct process_stat stat;
	return process_stat(pid, 0, &stat) == 0 && stat.started_boot_ticks == header->started_boot_ticks &&
	       !process_is_zombie(&stat);
}

/* The pid that a process has in the innermost namespace it is in. */
static pid_t own_pid(pid_t pid)
{
	char text[4096];
	if (process_file(text, sizeof text, "/proc/%d/status", pid) < 0)
		return 0;
	const char *line = strstr(text, "\nNSpid:");
	if (!line)
		return pid;
	line += strlen("\nNSpid:");
	const char *end = line + strcspn(line, "\n");
	while (end > line && !isspace((unsigned char)end[-1]))
		end--;
	return (pid_t)strtol(end, NULL, 10);
}

static uint64_t own_namespace(void)
{
	struct stat stat_buffer;
	return stat("/proc/self/ns/pid", &stat_buffer) == 0 ? stat_buffer.st_ino : 0;
}

pid_t process_of(const struct rec_header *header)
{
	if (header->pid > 0 && runs_as(header->pid, header))
		return header->pid;
	if (header->pid_namespace && header->pid_namespace == own_namespace())
		return 0;
	/* It may live in a pid namespace below ours, under another number. */
	pid_t found = 0;
	DIR *proc = opendir("/proc");
	for (struct dirent *entry; proc && !found && (entry = readdir(proc));) {
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
		if (pid > 0 && pid != header->pid && runs_as(pid, header) && own_pid(pid) == header->pid)
			found = pid;
	}
	if (proc)
		closedir(proc);
	if (found)
		return found;
	if (!header->pid_namespace)
		return 0;
	nsec_t tick = atomic_load_explicit(&header->tick_mono, memory_order_relaxed), now = process_now();
	unsigned state = atomic_load_explicit(&header->state, memory_order_relaxed);
	return state == REC_RUNNING && tick && tick <= now && now - tick < TICK_FRESH ? -1 : 0;
}

nsec_t process_last_moment(const struct rec_header *header)
{
	nsec_t tick = atomic_load_explicit(&header->tick_mono, memory_order_relaxed);
	nsec_t last = MAX_OF(header->ended_mono, tick);
	return MAX_OF(last, header->started_mono);
}
