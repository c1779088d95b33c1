#include "reporter/scan/task.h"

#include <fcntl.h>

#include "base/context.h"
#include "base/digits.h"
#include "base/text.h"
#include "platform/sys.h"

/* Return: bytes; negative: it is gone, or may not be read. */
static long task_read(int tasks_fd, int32_t tid, const char *what, char *line, size_t bytes)
{
	char path[32];
	struct text name = TEXT_OF(path);
	text_format(&name, "%d/%s", tid, what);
	int fd = (int)sys_call4(SYS_openat, tasks_fd, path, O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return fd;
	long got = sys_read(fd, line, bytes - 1);
	sys_close(fd);
	line[MAX_OF(got, 0)] = '\0';
	return got;
}

char task_state(int tasks_fd, int32_t tid)
{
	char line[256];
	long got = task_read(tasks_fd, tid, "stat", line, sizeof line);
	/* The name in parentheses may hold anything, so the state is looked for from behind. */
	for (long i = got - 3; i > 0; i--)
		if (line[i] == ')' && line[i + 1] == ' ')
			return line[i + 2];
	return 0;
}

/* "202 0x7f.. 0x80 0x0 0x0 0x0 0x0 0x7ffd.. 0x7f..", "-1 0x7ffd.. 0x7f..", "running" */
bool task_call(int tasks_fd, int32_t tid, struct task_call *ret_call)
{
	char line[256];
	if (task_read(tasks_fd, tid, "syscall", line, sizeof line) <= 0 || line[0] < '0' || line[0] > '9')
		return false;
	const char *at = digits_either(line, &ret_call->number);
	for (unsigned i = 0; i < COUNT_OF(ret_call->arguments); i++)
		at = digits_either(at, &ret_call->arguments[i]);
	at = digits_either(at, &ret_call->sp);
	digits_either(at, &ret_call->pc);
	return true;
}

/* Time on a processor, time in the queue for one, how often it has had one. */
uint64_t task_turns(int tasks_fd, int32_t tid)
{
	char line[128];
	uint64_t ran, queued, turns;
	if (task_read(tasks_fd, tid, "schedstat", line, sizeof line) <= 0)
		return 0;
	digits_either(digits_either(digits_either(line, &ran), &queued), &turns);
	return turns ? ran + turns : 0;
}
