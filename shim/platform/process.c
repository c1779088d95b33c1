#include "platform/process.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/context.h"
#include "base/digits.h"
#include "platform/sys.h"

extern char **environ;

static const uint32_t always = 1;
const uint32_t *process_canary = &always;
static uint32_t closed;
uint32_t *process_gate = &closed;

void process_gate_set(enum process_gate gate)
{
	if (process_gate != &closed)
		__atomic_store_n(process_gate, gate, __ATOMIC_SEQ_CST);
}

void process_canary_make(void)
{
	uint32_t *page = sys_pages(4096);
	if (!page)
		return;
	/* Before Linux 4.14 there is no such thing; then only announced forks are noticed. */
	if (sys_call3(SYS_madvise, page, 4096, MADV_WIPEONFORK) < 0) {
		sys_pages_free(page, 4096);
		return;
	}
	*page = 1;
	process_canary = page;
	process_gate = page + 1;
}

static struct {
	unsigned long tracer;
	int32_t pid; /* of the process that let it */
} traced_by;

void process_tracer_note(unsigned long tracer)
{
	__atomic_store_n(&traced_by.tracer, tracer, __ATOMIC_RELAXED);
	__atomic_store_n(&traced_by.pid, sys_pid(), __ATOMIC_RELEASE);
}

unsigned long process_tracer(void)
{
	bool ours = __atomic_load_n(&traced_by.pid, __ATOMIC_ACQUIRE) == sys_pid();
	return ours ? __atomic_load_n(&traced_by.tracer, __ATOMIC_RELAXED) : 0;
}

void process_exe(struct text *text)
{
	char path[1024];
	long length = sys_readlink("/proc/self/exe", path, sizeof path);
	if (length > 0)
		text_bytes(text, path, (size_t)length);
	else
		text_put(text, "?");
}

size_t process_argv(char *buffer, size_t bytes)
{
	long got = sys_read_file("/proc/self/cmdline", buffer, bytes);
	return got > 0 ? (size_t)got : 0;
}

uint64_t process_stat_field(const char *stat, int field)
{
	const char *at = strrchr(stat, ')');
	if (!at)
		return 0;
	at++;
	for (int i = 3; i <= field; i++) {
		while (*at == ' ')
			at++;
		if (i == field)
			break;
		while (*at && *at != ' ')
			at++;
	}
	uint64_t number;
	digits_decimal(at, &number);
	return number;
}

static void put_folder(struct text *text, int32_t pid)
{
	if (pid)
		text_format(text, "/proc/%d/", pid);
	else
		text_put(text, "/proc/self/");
}

long process_read(int32_t pid, const char *name, char *buffer, size_t bytes)
{
	char path[64];
	struct text text = TEXT_OF(path);
	put_folder(&text, pid);
	text_put(&text, name);
	return sys_read_file(path, buffer, bytes);
}

long process_read_task(int32_t pid, int32_t tid, const char *name, char *buffer, size_t bytes)
{
	char path[64];
	struct text text = TEXT_OF(path);
	put_folder(&text, pid);
	text_format(&text, "task/%d/%s", tid, name);
	return sys_read_file(path, buffer, bytes);
}

uint64_t process_started_ticks(void)
{
	return process_started_ticks_of(0);
}

uint64_t process_started_ticks_of(int32_t pid)
{
	char stat[512];
	return process_read(pid, "stat", stat, sizeof stat) > 0 ? process_stat_field(stat, 22) : 0;
}

uint64_t process_stack_high(void)
{
	/* The name of the program is the last thing in the last page. */
	const char *name = (const char *)(uintptr_t)getauxval(AT_EXECFN);
	return name ? ((uintptr_t)name + strlen(name) + 1 + 4095) & ~UINT64_C(4095) : 0;
}

int32_t process_parent(void)
{
	return (int32_t)sys_call0(SYS_getppid);
}

uint64_t process_pid_namespace(void)
{
	struct stat status = { .st_ino = 0 };
	return sys_call4(SYS_newfstatat, AT_FDCWD, "/proc/self/ns/pid", &status, 0) == 0 ? status.st_ino : 0;
}

uint64_t process_anonymous_bytes(void)
{
	char text[256];
	if (sys_read_file("/proc/self/statm", text, sizeof text) <= 0)
		return 0;
	uint64_t pages[3] = { 0 }; /* in all, in memory, of those a file's or shared */
	const char *at = text;
	for (unsigned i = 0; i < COUNT_OF(pages); i++)
		at = digits_either(at, &pages[i]);
	return pages[1] > pages[2] ? (pages[1] - pages[2]) * 4096 : 0;
}

struct kernel_dirent {
	uint64_t inode;
	int64_t offset;
	uint16_t bytes;
	uint8_t type;
	char name[];
};

bool process_numbers(int directory, bool (*each)(int32_t number, void *data), void *data)
{
	_Alignas(8) char buffer[2048] = { 0 }; /* for the analyzer: the kernel fills it */
	long got;
	while ((got = sys_call3(SYS_getdents64, directory, buffer, sizeof buffer)) > 0) {
		for (long at = 0; at < got;) {
			const struct kernel_dirent *entry = (const void *)(buffer + at);
			int32_t number = 0;
			const char *digit = entry->name;
			for (; *digit >= '0' && *digit <= '9'; digit++)
				number = number * 10 + (*digit - '0');
			if (digit > entry->name && !each(number, data))
				return true;
			at += entry->bytes;
		}
	}
	return got == 0;
}

struct count {
	int32_t but;
	int tasks;
};

/* Whether the thread is there and has not ended. */
static bool lives(int32_t tid)
{
	char stat[512];
	if (process_read_task(0, tid, "stat", stat, sizeof stat) <= 0)
		return false;
	const char *end = strrchr(stat, ')');
	return !end || end[1] != ' ' || (end[2] != 'Z' && end[2] != 'X');
}

static bool count_task(int32_t tid, void *data)
{
	struct count *count = data;
	if (tid != count->but && lives(tid))
		count->tasks++;
	return true;
}

int process_other_tasks(int32_t but)
{
	int fd = sys_open("/proc/self/task", O_RDONLY | O_DIRECTORY, 0);
	if (fd < 0)
		return -1;
	struct count count = { .but = but };
	process_numbers(fd, count_task, &count);
	sys_close(fd);
	return count.tasks;
}

int process_threads(void)
{
	struct stat status = { .st_nlink = 0 };
	/* A directory has a link for each in it, and two of its own. */
	if (sys_call4(SYS_newfstatat, AT_FDCWD, "/proc/self/task", &status, 0) != 0 || status.st_nlink < 3)
		return -1;
	return (int)status.st_nlink - 2;
}

const char *process_environment(const char *name)
{
	size_t length = strlen(name);
	for (char **at = environ; at && *at; at++)
		if (strncmp(*at, name, length) == 0 && (*at)[length] == '=')
			return *at + length + 1;
	return NULL;
}

uint64_t process_entry(void)
{
	return getauxval(AT_ENTRY);
}
