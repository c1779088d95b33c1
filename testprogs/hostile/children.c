/*
 * Every way to make a child and to become another program, with environments that
 * are given, empty, or inherited. A child sees the environment that it was given
 * (what makes it be followed aside), its arguments, and its parent sees its status.
 * Guards: exec and posix_spawn add to an environment; vfork must not be called from a frame
 * that is gone when it returns again; nothing of the parent's may be written in its child.
 *
 * RUN: %prog
 * RUN: whoholds run %prog
 * RUN: whoholds run --set children=no %prog
 * KINDS: none
 * EXPECT-STDOUT: 19 children
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/check.h"

extern char **environ;

static const char *self_path;
static int pipe_fds[2], told;

/* What a child says: its arguments and what is in its environment, ours left out. */
static int child(int argc, char **argv)
{
	for (int i = 2; i < argc; i++)
		printf("%s%s", i > 2 ? " " : "", argv[i]);
	int count = 0;
	const char *marked = getenv("MARK");
	for (char **at = environ; *at; at++)
		if (strncmp(*at, "LD_PRELOAD=", 11) && strncmp(*at, "WHOHOLDS_", 9))
			count++;
	printf("|%s|%s\n", marked ? marked : "-", count > 2 ? "inherited" : count == 0 ? "empty" : "given");
	return 3;
}

/* The status of `pid`, and what it wrote. */
static void expect(pid_t pid, const char *wanted)
{
	char line[200];
	int status;

	CHECK(pid > 0);
	CHECK_EQUAL(waitpid(pid, &status, 0), pid);
	CHECK(WIFEXITED(status));
	CHECK_EQUAL(WEXITSTATUS(status), 3);
	ssize_t length = read(pipe_fds[0], line, sizeof line - 1);
	line[length > 0 ? length : 0] = '\0';
	if (strcmp(line, wanted) != 0)
		fprintf(stderr, "%s", line);
	CHECK(strcmp(line, wanted) == 0);
	told++;
}

static char *given[] = { "MARK=given", "B=2", NULL };
static char *empty[] = { NULL };
static char *arguments[] = { "children", "--child", "a", "b c", NULL };

enum {
	EXECV,
	EXECVE,
	EXECVE_EMPTY,
	EXECVE_NULL,
	EXECVP,
	EXECVPE,
	EXECL,
	EXECLE,
	EXECLP,
	FEXECVE,
	EXECVEAT,
	EXECV_CLEARED,
	EXECVE_HUGE,
	WAYS
};

static char *huge[2000];

static void become(int way)
{
	dup2(pipe_fds[1], 1);
	switch (way) {
	case EXECV:
		execv(self_path, arguments);
		break;
	case EXECVE:
		execve(self_path, arguments, given);
		break;
	case EXECVE_EMPTY:
		execve(self_path, arguments, empty);
		break;
	case EXECVE_NULL:
		execve(self_path, arguments, NULL);
		break;
	case EXECVP:
		execvp(self_path, arguments);
		break;
	case EXECVPE:
		execvpe(self_path, arguments, given);
		break;
	case EXECL:
		execl(self_path, "children", "--child", "a", "b c", (char *)NULL);
		break;
	case EXECLE:
		execle(self_path, "children", "--child", "a", "b c", (char *)NULL, given);
		break;
	case EXECLP:
		execlp(self_path, "children", "--child", "a", "b c", (char *)NULL);
		break;
	case FEXECVE:
		fexecve(open(self_path, O_RDONLY | O_CLOEXEC), arguments, given);
		break;
	case EXECVEAT:
		execveat(AT_FDCWD, self_path, arguments, given, 0);
		break;
	case EXECV_CLEARED:
		environ = empty;
		execv(self_path, arguments);
		break;
	case EXECVE_HUGE:
		execve(self_path, arguments, huge);
		break;
	}
	_exit(99);
}

static const char *const says[WAYS] = {
	[EXECV] = "a b c|-|inherited\n",          [EXECVE] = "a b c|given|given\n",
	[EXECVE_EMPTY] = "a b c|-|empty\n",       [EXECVE_NULL] = "a b c|-|empty\n",
	[EXECVP] = "a b c|-|inherited\n",         [EXECVPE] = "a b c|given|given\n",
	[EXECL] = "a b c|-|inherited\n",          [EXECLE] = "a b c|given|given\n",
	[EXECLP] = "a b c|-|inherited\n",         [FEXECVE] = "a b c|given|given\n",
	[EXECVEAT] = "a b c|given|given\n",       [EXECV_CLEARED] = "a b c|-|empty\n",
	[EXECVE_HUGE] = "a b c|last|inherited\n",
};

/* A vfork child that can't exec: errno and the parent's memory come through. */
static void vfork_fails(void)
{
	volatile int seen = 0;
	pid_t pid = vfork();
	if (pid == 0) {
		execve("/nonexistent/program", arguments, huge);
		seen = errno;
		_exit(3);
	}
	CHECK(pid > 0);
	CHECK_EQUAL(seen, ENOENT);
	CHECK_EQUAL(waitpid(pid, NULL, 0), pid);
}

/* Environments at no address: the kernel says so, and nobody else reads them. */
static void env_is_nowhere(void)
{
	char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(page != MAP_FAILED);
	CHECK_EQUAL(munmap(page + 4096, 4096), 0);
	memset(page, 'x', 4096);
	char *strings[][3] = { { (char *)1 }, { "MARK=x", (char *)16 }, { "MARK=x", page + 4096 - 3 } };
	char **cut = (char **)(page + 4096) - 1;
	char **arrays[] = { strings[0], strings[1], strings[2], cut, (char **)8 };
	for (unsigned i = 0; i < sizeof arrays / sizeof *arrays; i++) {
		if (arrays[i] == cut)
			*cut = "MARK=x"; /* where that string was */
		CHECK_EQUAL(execve(self_path, arguments, arrays[i]), -1);
		CHECK_EQUAL(errno, EFAULT);
	}
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "--child"))
		return child(argc, argv);
	self_path = realpath("/proc/self/exe", NULL);
	CHECK_EQUAL(pipe2(pipe_fds, O_CLOEXEC), 0);
	setenv("INHERITED_1", "", 1);
	setenv("INHERITED_2", "", 1);
	setenv("INHERITED_3", "", 1);
	for (int i = 0; i < 1998; i++)
		huge[i] = i == 1997 ? "MARK=last" : "FILL=x";

	for (int way = 0; way < WAYS; way++) {
		pid_t pid = fork();
		if (pid == 0)
			become(way);
		expect(pid, says[way]);
	}

	pid_t pid = _Fork();
	if (pid == 0)
		become(EXECVE);
	expect(pid, says[EXECVE]);
	env_is_nowhere();
	for (int i = 0; i < 50; i++)
		vfork_fails();
	pid = vfork();
	if (pid == 0) {
		dup2(pipe_fds[1], 1); /* only the child's table */
		execve(self_path, arguments, huge);
		_exit(99);
	}
	expect(pid, says[EXECVE_HUGE]);
	pid = vfork();
	if (pid == 0) {
		dup2(pipe_fds[1], 1);
		execl(self_path, "children", "--child", "a", "b c", (char *)NULL);
		_exit(99);
	}
	expect(pid, says[EXECL]);

	posix_spawn_file_actions_t actions;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, pipe_fds[1], 1);
	CHECK_EQUAL(posix_spawn(&pid, self_path, &actions, NULL, arguments, given), 0);
	expect(pid, says[EXECVE]);
	CHECK_EQUAL(posix_spawnp(&pid, self_path, &actions, NULL, arguments, empty), 0);
	expect(pid, says[EXECVE_EMPTY]);
	CHECK_EQUAL(posix_spawn(&pid, self_path, &actions, NULL, arguments, huge), 0);
	expect(pid, says[EXECVE_HUGE]);
	CHECK_EQUAL(posix_spawn(&pid, "/nonexistent/program", NULL, NULL, arguments, environ), ENOENT);
	posix_spawn_file_actions_destroy(&actions);

	CHECK_EQUAL(execve("/nonexistent/program", arguments, given), -1);
	CHECK_EQUAL(errno, ENOENT);
	CHECK(!strcmp(given[0], "MARK=given") && !given[2]);
	CHECK_EQUAL(WEXITSTATUS(system("exit 7")), 7);
	FILE *out = popen("echo popened; exit 5", "r");
	char line[20] = "";
	CHECK(out && fgets(line, sizeof line, out) && !strcmp(line, "popened\n"));
	CHECK_EQUAL(WEXITSTATUS(pclose(out)), 5);
	free((char *)self_path);
	printf("%d children\n", told);
	return 0;
}
