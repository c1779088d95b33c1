#include "reporter/cli/target.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reporter/cli/bare_stack.h"
#include "reporter/cli/kernel_wait.h"
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

/* -- threads that no hook saw block ------------------------------------------ */

#define FRAMES_MOST 64

/* What it takes to look at them, made when the first one is met. */
struct looker {
	pid_t pid;
	int memory;
	struct bare_stacks *stacks;
	bool opened;
};

static void open_looker(struct looker *looker)
{
	char path[64];
	if (looker->opened)
		return;
	looker->opened = true;
	snprintf(path, sizeof path, "/proc/%d/mem", looker->pid);
	looker->memory = open(path, O_RDONLY | O_CLOEXEC);
	if (looker->memory >= 0)
		looker->stacks = bare_stacks_open(looker->pid, looker->memory);
}

static void complete_thread(struct looker *looker, struct snap_thread *thread, pid_t tid, nsec_t now,
			    struct reader *reader)
{
	uint64_t frames[FRAMES_MOST];
	struct kernel_wait wait;
	bool whole;
	open_looker(looker);
	/* Who holds its lock is the recording's to say: no owners are looked up. */
	kernel_wait_look(looker->pid, tid, looker->memory, NULL, 0, &wait);
	size_t count = bare_stack_of(looker->stacks, wait.pc, wait.sp, frames, FRAMES_MOST, &whole);
	stack_id stack = count ? reader_add_stack(reader, frames, (uint16_t)count,
						  (uint16_t)(STACK_EXACT_PC | (whole ? 0 : STACK_TRUNCATED)))
			       : 0;
	if (stack) {
		thread->now_stack = stack;
		thread->now_at = now;
	}
	if (wait.kind == KIND_NONE)
		return;
	thread->waiting = true;
	thread->wait = (struct rec_wait){
		.handle = wait.handle,
		.stack = stack,
		.sp = wait.sp,
		.op = (uint16_t)wait.op,
		.kind = (uint8_t)wait.kind,
		.mode = (uint8_t)wait.mode,
		.timed = wait.timed,
	};
}

/* The recording knows where the program says which descriptor it polls, the kernel whether it still does. */
static void find_polled(struct looker *looker, struct snap_thread *thread, pid_t tid)
{
	struct kernel_wait wait;
	open_looker(looker);
	kernel_wait_look(looker->pid, tid, looker->memory, NULL, 0, &wait);
	if (wait.kind == KIND_FD && thread->wait.kind == KIND_FD)
		thread->wait.handle = wait.handle;
}

void target_complete(struct snapshot *snapshot, struct reader *reader, pid_t pid)
{
	char path[64];
	struct looker looker = { .pid = pid, .memory = -1 };
	bool same = snapshot->view->header->pid == pid;
	snprintf(path, sizeof path, "/proc/%d/task", pid);
	DIR *tasks = opendir(path);
	for (struct dirent *entry; tasks && (entry = readdir(tasks));) {
		pid_t tid = (pid_t)strtol(entry->d_name, NULL, 10);
		struct snap_thread *thread =
		    tid > 0 ? snapshot_thread_by_tid(snapshot, same ? tid : target_own_tid(pid, tid)) : NULL;
		if (!thread || thread->state != THREAD_RUNNING || thread->kernel_state == 'R')
			continue;
		if (!thread->waiting)
			complete_thread(&looker, thread, tid, snapshot->now, reader);
		else if (thread->waits_for_one)
			find_polled(&looker, thread, tid);
	}
	if (tasks)
		closedir(tasks);
	bare_stacks_close(looker.stacks);
	if (looker.memory >= 0)
		close(looker.memory);
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
