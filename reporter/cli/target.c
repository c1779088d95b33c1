#include "reporter/cli/target.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reporter/recording/process.h"

int32_t target_own_tid(pid_t pid, pid_t tid)
{
	char text[4096];
	if (process_file(text, sizeof text, "/proc/%d/task/%d/status", pid, tid) < 0)
		return 0;
	const char *line = strstr(text, "\nNSpid:");
	if (!line)
		return tid;
	size_t bytes = strcspn(line + 1, "\n");
	const char *end = line + 1 + bytes;
	while (end > line && end[-1] >= '0' && end[-1] <= '9')
		end--;
	return (int32_t)strtol(end, NULL, 10);
}

/* Its first number is the time on a CPU in nanoseconds; stat has ticks of 10 ms only. */
static uint64_t cpu_ns(pid_t pid, pid_t tid)
{
	char text[128];
	uint64_t ns = 0;
	if (process_file(text, sizeof text, "/proc/%d/task/%d/schedstat", pid, tid) > 0)
		sscanf(text, "%" SCNu64, &ns);
	return ns;
}

void target_look(struct snapshot *snapshot, pid_t pid)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/task", pid);
	bool same = snapshot->view->header->pid == pid;
	DIR *tasks = opendir(path);
	for (struct dirent *entry; tasks && (entry = readdir(tasks));) {
		pid_t tid = (pid_t)strtol(entry->d_name, NULL, 10);
		struct process_stat stat;
		if (tid <= 0 || process_stat(pid, tid, &stat) != 0)
			continue;
		struct snap_thread *thread =
		    snapshot_thread_by_tid(snapshot, same ? tid : target_own_tid(pid, tid));
		if (!thread)
			continue;
		thread->kernel_state = stat.state;
		thread->cpu_ns = cpu_ns(pid, tid);
	}
	if (tasks)
		closedir(tasks);
}

const char *target_unfit(pid_t pid)
{
	struct process_stat stat;
	if (process_stat(pid, 0, &stat) != 0)
		return NULL;
	if (stat.flags & PROCESS_KERNEL_THREAD)
		return "is a kernel thread, which has no memory of its own to look into";
	if (process_is_zombie(&stat))
		return "is a zombie: it has ended, and waits for its parent to notice";
	return NULL;
}
