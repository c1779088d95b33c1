#include "reporter/cli/bare.h"

#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "reporter/cli/bare_stack.h"
#include "reporter/cli/complain.h"
#include "reporter/cli/kernel_wait.h"
#include "reporter/cli/target.h"
#include "reporter/detect/detect.h"
#include "reporter/recording/maker.h"
#include "reporter/recording/process.h"

#define FRAMES_MOST 64

/* A thread of the target: its number here, and the one that it has in its own pid namespace. */
struct task {
	pid_t tid;
	int32_t own;
	struct rec_thread *slot;
	struct kernel_wait wait;
};

struct bare {
	pid_t pid;
	int memory;         /* /proc/PID/mem; -1: not permitted */
	struct task *tasks; /* owned */
	int32_t *own_tids;  /* of all tasks; owned */
	size_t count;
	struct maker maker;
	unsigned unknown_owners; /* futex waits of which nothing tells who could end them */
};

/* -- threads --------------------------------------------------------------- */

static int by_tid(const void *left, const void *right)
{
	const struct task *one = left, *other = right;
	return one->tid < other->tid ? -1 : one->tid > other->tid;
}

/* Return: 0, or a negative errno. */
static int list_tasks(struct bare *bare)
{
	char path[64];
	size_t room = 0;
	snprintf(path, sizeof path, "/proc/%d/task", bare->pid);
	DIR *tasks = opendir(path);
	if (!tasks)
		return errno == ENOENT ? -ESRCH : -errno;
	int error = 0;
	for (struct dirent *entry; !error && (entry = readdir(tasks));) {
		pid_t tid = (pid_t)strtol(entry->d_name, NULL, 10);
		if (tid <= 0)
			continue;
		if (bare->count == room) {
			struct task *more =
			    realloc(bare->tasks, (room = room ? room * 2 : 64) * sizeof *more);
			if (!more) {
				error = -ENOMEM;
				break;
			}
			bare->tasks = more;
		}
		bare->tasks[bare->count++] =
		    (struct task){ .tid = tid, .own = target_own_tid(bare->pid, tid) };
	}
	closedir(tasks);
	if (!bare->count)
		return error ? error : -ESRCH;
	/* The main thread has the process's number, which is the lowest until numbers start over. */
	qsort(bare->tasks, bare->count, sizeof bare->tasks[0], by_tid);
	for (size_t i = 0; i < bare->count; i++)
		if (bare->tasks[i].tid == bare->pid) {
			struct task main_task = bare->tasks[i];
			memmove(&bare->tasks[1], &bare->tasks[0], i * sizeof bare->tasks[0]);
			bare->tasks[0] = main_task;
		}
	bare->own_tids = calloc(bare->count, sizeof *bare->own_tids);
	for (size_t i = 0; bare->own_tids && i < bare->count; i++)
		bare->own_tids[i] = bare->tasks[i].own;
	return bare->own_tids ? error : -ENOMEM;
}

static struct task *task_of(struct bare *bare, int32_t own)
{
	for (size_t i = 0; own && i < bare->count; i++)
		if (bare->tasks[i].own == own)
			return &bare->tasks[i];
	return NULL;
}

/* A start in ticks since boot, on CLOCK_MONOTONIC, which stands still while the machine sleeps. */
static nsec_t started_at(uint64_t boot_ticks)
{
	struct timespec boot;
	clock_gettime(CLOCK_BOOTTIME, &boot);
	uint64_t boot_now = (uint64_t)boot.tv_sec * NSEC_PER_SEC + (uint64_t)boot.tv_nsec;
	uint64_t start = boot_ticks * (NSEC_PER_SEC / (uint64_t)sysconf(_SC_CLK_TCK)), now = process_now();
	uint64_t age = boot_now > start ? boot_now - start : 0;
	return now > age ? now - age : 1;
}

static void put_thread(struct bare *bare, struct task *task, struct bare_stacks *stacks)
{
	struct process_stat stat;
	struct rec_thread *slot = maker_thread(&bare->maker);
	uint64_t frames[FRAMES_MOST];
	bool whole;
	task->slot = slot;
	if (!slot || process_stat(bare->pid, task->tid, &stat) != 0)
		return;
	slot->tid = task->own;
	slot->flags = THREAD_FOREIGN | (task->tid == bare->pid ? THREAD_MAIN : 0);
	slot->started = started_at(stat.started_boot_ticks);
	snprintf(slot->name, sizeof slot->name, "%.*s", (int)sizeof slot->name - 1, stat.name);
	kernel_wait_look(bare->pid, task->tid, bare->memory, bare->own_tids, bare->count, &task->wait);
	size_t count = bare_stack_of(stacks, task->wait.pc, task->wait.sp, frames, FRAMES_MOST, &whole);
	stack_id stack = count ? maker_stack(&bare->maker, frames, (uint16_t)count,
					     STACK_EXACT_PC | (whole ? 0 : STACK_TRUNCATED))
			       : 0;
	if (task->wait.kind == KIND_NONE) {
		slot->now_stack = stack;
		slot->now_mono = process_now();
		return;
	}
	slot->wait_depth = 1;
	slot->waits[0] = (struct rec_wait){
		.handle = task->wait.handle,
		.stack = stack,
		.sp = task->wait.sp,
		.op = (uint16_t)task->wait.op,
		.kind = (uint8_t)task->wait.kind,
		.mode = (uint8_t)task->wait.mode,
		.timed = task->wait.timed,
	};
	bare->unknown_owners += task->wait.kind == KIND_FUTEX;
}

/* Who holds what, as far as those who wait for it tell. */
static void put_edges(struct bare *bare)
{
	for (size_t i = 0; i < bare->count; i++) {
		struct task *task = &bare->tasks[i];
		const struct task *joined = task_of(bare, task->wait.joined);
		const struct task *owner = task_of(bare, task->wait.owner);
		if (joined && joined->slot && task->slot)
			task->slot->waits[0].target = joined->slot->id;
		if (!owner || !owner->slot)
			continue;
		struct rec_thread *slot = owner->slot;
		bool known = false;
		for (uint32_t j = 0; j < slot->hold_count; j++)
			known |= slot->holds[j].handle == task->wait.handle;
		if (known || slot->hold_count == REC_SLOT_HOLDS)
			continue;
		slot->holds[slot->hold_count] = (struct rec_hold){
			.handle = task->wait.handle,
			.count = 1,
			.owner = slot->id,
			.serial = slot->hold_count + 1,
			.kind = (uint8_t)task->wait.kind,
			.mode = MODE_EXCLUSIVE,
			.state = HOLD_LIVE,
		};
		slot->hold_count++;
	}
}

/* -- modules --------------------------------------------------------------- */

/* Where the file's own addresses begin, less where its first byte is mapped: 0 for what is linked to run where it says. */
static uint64_t file_bias(pid_t pid, const char *path, uint64_t start)
{
	char name[PATH_MAX + 32];
	Elf64_Ehdr header;
	Elf64_Phdr segment;
	uint64_t bias = start;
	snprintf(name, sizeof name, "/proc/%d/root%s", pid, path);
	int fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return bias;
	if (pread(fd, &header, sizeof header, 0) == (ssize_t)sizeof header &&
	    memcmp(header.e_ident, ELFMAG, SELFMAG) == 0 && header.e_phentsize == sizeof segment)
		for (unsigned i = 0; i < header.e_phnum; i++)
			if (pread(fd, &segment, sizeof segment,
				  (off_t)(header.e_phoff + i * sizeof segment)) == (ssize_t)sizeof segment &&
			    segment.p_type == PT_LOAD) {
				bias = start - (segment.p_vaddr & ~UINT64_C(4095));
				break;
			}
	close(fd);
	return bias;
}

/* One module a run of mappings of one file, which begins with its first byte. */
static void put_modules(struct bare *bare)
{
	char path[64], last[PATH_MAX] = "";
	char *line = NULL;
	size_t room = 0;
	struct rec_module module = { 0 };
	snprintf(path, sizeof path, "/proc/%d/maps", bare->pid);
	FILE *maps = fopen(path, "re");
	while (maps && getline(&line, &room, maps) > 0) {
		uint64_t low, high, offset;
		int name_at = 0;
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %*s %" SCNx64 " %*s %*s %n", &low, &high, &offset,
			   &name_at) != 3 ||
		    !name_at || line[name_at] != '/')
			continue;
		char *name = line + name_at;
		name[strcspn(name, "\n")] = '\0';
		if (module.start && strcmp(name, last) == 0) {
			module.end = high;
			continue;
		}
		if (module.start)
			maker_module(&bare->maker, &module);
		snprintf(last, sizeof last, "%s", name);
		module = (struct rec_module){
			.start = low,
			.end = high,
			.bias = file_bias(bare->pid, name, low - offset),
			.path = maker_text(&bare->maker, name),
		};
	}
	if (module.start)
		maker_module(&bare->maker, &module);
	free(line);
	if (maps)
		fclose(maps);
}

/* -- the process ----------------------------------------------------------- */

static text_id put_link(struct bare *bare, const char *what)
{
	char path[64], target[PATH_MAX];
	snprintf(path, sizeof path, "/proc/%d/%s", bare->pid, what);
	ssize_t length = readlink(path, target, sizeof target - 1);
	return length > 0 ? maker_bytes(&bare->maker, target, (size_t)length) : 0;
}

static void put_process(struct bare *bare)
{
	char text[4096];
	struct process_stat stat = { 0 };
	struct rec_header *header = &bare->maker.header;
	struct timespec real;
	process_stat(bare->pid, 0, &stat);
	header->pid = bare->tasks[0].own ? bare->tasks[0].own : bare->pid;
	header->ppid = stat.parent;
	header->started_boot_ticks = stat.started_boot_ticks;
	header->started_mono = started_at(stat.started_boot_ticks);
	clock_gettime(CLOCK_REALTIME, &real);
	header->started_real = (uint64_t)real.tv_sec * NSEC_PER_SEC + (uint64_t)real.tv_nsec -
			       (process_now() - header->started_mono);
	header->exe = put_link(bare, "exe");
	if (!header->exe)
		header->exe = maker_text(&bare->maker, stat.name);
	header->cwd = put_link(bare, "cwd");
	ssize_t length = process_file(text, sizeof text, "/proc/%d/cmdline", bare->pid);
	if (length > 0) {
		header->argv = maker_bytes(&bare->maker, text, (size_t)length);
		header->argv_bytes = (uint32_t)length;
	}
	if (gethostname(text, sizeof text) == 0)
		header->host = maker_text(&bare->maker, text);
	header->flags = REC_PRIVATE | REC_ALLOC_OFF;
	header->threads_started = (uint32_t)bare->count;
}

static void say_limits(const struct bare *bare)
{
	complain(
	    "process %d does not run under whoholds: this is what the kernel and glibc's own lock words tell",
	    bare->pid);
	if (bare->memory < 0)
		complain(
		    "its memory can't be read (%s): no lock owners, no stacks; try as its user or as root",
		    strerror(errno));
	complain("not known: when and where locks were taken, who reads under an rwlock, who took a "
		 "semaphore, memory and "
		 "iterators%s",
		 bare->unknown_owners ? "; what a 'futex' is" : "");
	complain("to know it next time, start it with 'whoholds run' or with LD_PRELOAD=libwhoholds.so");
}

/*
 * The deadlocks among what was found; no thresholds, since no times are known. The second look comes a moment later, and
 * only what stands in both counts.
 */
static int tell(struct renderer *renderer, struct bare *bare, const struct finding_list *before,
		struct finding_list *ret_found)
{
	struct snapshot snapshot;
	const struct limits none = { 0 };
	snapshot_take(maker_view(&bare->maker), process_now(), &renderer->arena, &snapshot);
	*ret_found = (struct finding_list){ .arena = &renderer->arena };
	detect_live(&snapshot, &none, ret_found);
	if (!before)
		return 0;
	uint32_t kept = 0;
	for (uint32_t i = 0; i < ret_found->count; i++)
		for (uint32_t j = 0; j < before->count; j++)
			if (ret_found->found[i]->kind == before->found[j]->kind &&
			    ret_found->found[i]->key == before->found[j]->key) {
				ret_found->found[kept++] = ret_found->found[i];
				break;
			}
	ret_found->count = kept;
	target_look(&snapshot, bare->pid);
	say_limits(bare);
	return renderer_tell_view(renderer, &snapshot, ret_found, true);
}

static void forget(struct bare *bare)
{
	if (bare->memory >= 0)
		close(bare->memory);
	free(bare->tasks);
	free(bare->own_tids);
	maker_release(&bare->maker);
	*bare = (struct bare){ .pid = bare->pid, .memory = -1 };
}

/* Fills `bare` with a look at the process. Return: 0, or an exit code after a message. */
static int look(struct bare *bare)
{
	char path[64];
	int error = list_tasks(bare);
	if (!error)
		error = maker_init(&bare->maker, (uint32_t)bare->count);
	if (error) {
		complain("cannot look at process %d: %s", bare->pid, strerror(-error));
		return EXIT_FAILED;
	}
	snprintf(path, sizeof path, "/proc/%d/mem", bare->pid);
	put_process(bare);
	put_modules(bare);
	bare->memory = open(path, O_RDONLY | O_CLOEXEC);
	struct bare_stacks *stacks = bare->memory >= 0 ? bare_stacks_open(bare->pid, bare->memory) : NULL;
	for (size_t i = 0; i < bare->count; i++)
		put_thread(bare, &bare->tasks[i], stacks);
	bare_stacks_close(stacks);
	put_edges(bare);
	return 0;
}

int bare_dump(struct renderer *renderer, pid_t pid)
{
	const struct timespec moment = { .tv_nsec = 50 * (long)NSEC_PER_MSEC };
	struct bare bare = { .pid = pid, .memory = -1 };
	struct finding_list before, found;
	int code = look(&bare);
	if (!code) {
		tell(renderer, &bare, NULL, &before);
		forget(&bare);
		nanosleep(&moment, NULL);
		code = look(&bare);
	}
	if (!code)
		code = tell(renderer, &bare, &before, &found);
	forget(&bare);
	return code;
}
