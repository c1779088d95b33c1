#include "reporter/cli/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "reporter/cli/args.h"
#include "reporter/cli/complain.h"
#include "reporter/recording/discover.h"
#include "reporter/recording/process.h"

#ifndef WH_LIBDIR
#define WH_LIBDIR "/usr/local/lib"
#endif

#define LIBRARY "libwhoholds.so"

/* Passed on to the program. The rest either can't be caught or is about the command itself. */
static const int passed_on[] = { SIGHUP,  SIGINT,  SIGQUIT, SIGTERM,  SIGUSR1,
				 SIGUSR2, SIGCONT, SIGTSTP, SIGWINCH, SIGALRM };

static int signals = -1;     /* signalfd of passed_on and SIGCHLD */
static sigset_t mask_before; /* as the command was started */
static struct sigaction child_before, pipe_before;

/* -- the library and the environment --------------------------------------- */

/* The library's path, found relative to the command and in the install prefix. Return: 0 or -ENOENT. */
static int find_library(char *ret_path, size_t bytes)
{
	char command[PATH_MAX], resolved[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", command, sizeof command - 1);
	static const char *const places[] = { "../lib", "../lib64", "../lib/x86_64-linux-gnu" };
	if (length > 0) {
		command[length] = '\0';
		char *slash = strrchr(command, '/');
		if (slash)
			*slash = '\0';
		for (unsigned i = 0; i < sizeof places / sizeof places[0]; i++) {
			char path[PATH_MAX + 64];
			snprintf(path, sizeof path, "%s/%s/" LIBRARY, command, places[i]);
			if (realpath(path, resolved)) {
				snprintf(ret_path, bytes, "%s", resolved);
				return 0;
			}
		}
	}
	snprintf(ret_path, bytes, "%s/" LIBRARY, WH_LIBDIR);
	return access(ret_path, R_OK) == 0 ? 0 : -ENOENT;
}

/*
 * `library` before what is preloaded already, and not twice: behind an allocator it would never see an allocation.
 * Return: 0 or an exit code.
 */
static int set_preload(const char *library)
{
	const char *before = getenv("LD_PRELOAD");
	char *value = NULL;
	if (strpbrk(library, " :")) {
		complain("the library's path '%s' holds a blank or a colon, which LD_PRELOAD takes for a "
			 "separator; install whoholds somewhere else",
			 library);
		return EXIT_FAILED;
	}
	if (before && strstr(before, library))
		return 0;
	if (asprintf(&value, "%s%s%s", library, before && *before ? ":" : "", before ? before : "") < 0 ||
	    setenv("LD_PRELOAD", value, 1) != 0) {
		complain("no memory for the environment");
		return EXIT_FAILED;
	}
	free(value);
	return 0;
}

/* [+]ID:PID, a number that no other run has and whom processes of the run let render what they find. */
static void name_run(char ret_run[LAUNCH_RUN_BYTES], bool all_ends)
{
	uint64_t number;
	if (getrandom(&number, sizeof number, GRND_NONBLOCK) != (ssize_t)sizeof number)
		number = process_now();
	snprintf(ret_run, LAUNCH_RUN_BYTES, "%s%016llx:%d", all_ends ? "+" : "", (unsigned long long)number,
		 getpid());
}

static void choose_directory(struct launch *launch)
{
	const char *named = getenv("WHOHOLDS_DIR");
	char directory[DISCOVER_PATH_BYTES];
	if (named && !*named)
		named = NULL;
	int error = discover_make_directory(named, directory);
	if (error && named) {
		complain("cannot record in '%.200s' (WHOHOLDS_DIR): %s, recording in the standard directory",
			 named, strerror(-error));
		error = discover_make_directory(NULL, directory);
	}
	if (!error)
		launch->directory = args_absolute(directory);
	else
		complain("no directory for recordings (%s), ignoring; processes keep theirs in memory and "
			 "report by themselves. "
			 "Set WHOHOLDS_DIR to a directory of yours",
			 strerror(-error));
}

int launch_prepare(struct launch *ret_launch, const struct options *in_force, bool all_ends)
{
	char library[PATH_MAX + 64], list[8 * OPTION_TEXT_BYTES];
	struct text text = TEXT_OF(list);
	*ret_launch = (struct launch){ .pidfd = -1 };
	if (find_library(library, sizeof library) != 0) {
		complain("cannot find " LIBRARY
			 " beside the command (../lib) nor at '%s'; build or install it ('make', "
			 "'make install')",
			 library);
		return EXIT_FAILED;
	}
	int error = set_preload(library);
	if (error)
		return error;
	choose_directory(ret_launch);
	name_run(ret_launch->run, all_ends);
	options_write(in_force, &text);
	if (setenv("WHOHOLDS_OPTIONS", list, 1) != 0 || setenv("WHOHOLDS_RUN", ret_launch->run, 1) != 0 ||
	    (ret_launch->directory && setenv("WHOHOLDS_DIR", ret_launch->directory, 1) != 0)) {
		complain("no memory for the environment");
		return EXIT_FAILED;
	}
	return 0;
}

/* -- signals --------------------------------------------------------------- */

/* Stops as an unhandled SIGTSTP would have done, and goes on when somebody says so. */
static void stop_self(void)
{
	const struct sigaction standard = { .sa_handler = SIG_DFL };
	struct sigaction before;
	sigset_t just, old;
	sigemptyset(&just);
	sigaddset(&just, SIGTSTP);
	sigaction(SIGTSTP, &standard, &before);
	raise(SIGTSTP);
	pthread_sigmask(SIG_UNBLOCK, &just, &old); /* stops here */
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	sigaction(SIGTSTP, &before, NULL);
}

/* By the descriptor: the number may be another process's as soon as ours was waited for. */
static void send(struct launch *launch, int number)
{
	if (launch->pidfd >= 0)
		syscall(SYS_pidfd_send_signal, launch->pidfd, number, NULL, 0);
	else if (!launch->ended)
		kill(launch->pid, number);
}

/*
 * A thread of its own: while a report is made, which may mean to read the debug information of a
 * browser, signals are still passed on at once.
 */
static void *pass_signals(void *data)
{
	struct launch *launch = data;
	struct signalfd_siginfo info;
	while (read(signals, &info, sizeof info) == (ssize_t)sizeof info || errno == EINTR) {
		int number = (int)info.ssi_signo;
		if (number == SIGINT || number == SIGTERM || number == SIGQUIT || number == SIGHUP)
			launch->signalled = true;
		/* The terminal sends to the whole foreground group: the program, if in it, has got its own already. */
		if (info.ssi_code != SI_KERNEL)
			send(launch, number);
		if (number == SIGTSTP)
			stop_self();
	}
	return NULL;
}

/* -- start ----------------------------------------------------------------- */

/* The child's way into the program; never returns. */
static void become(const char *path, char **argv, int complaint)
{
	sigaction(SIGCHLD, &child_before, NULL);
	sigaction(SIGPIPE, &pipe_before, NULL);
	sigprocmask(SIG_SETMASK, &mask_before, NULL);
	execv(path, argv);
	int error = errno;
	if (error == ENOEXEC) {
		/* A script without a first line: what execvp does. */
		size_t count = 0;
		while (argv[count])
			count++;
		char **shell = calloc(count + 2, sizeof *shell);
		if (shell) {
			shell[0] = "/bin/sh";
			shell[1] = (char *)path;
			for (size_t i = 1; i < count; i++)
				shell[i + 1] = argv[i];
			execv(shell[0], shell);
			error = errno;
		}
	}
	ssize_t written = write(complaint, &error, sizeof error);
	_exit(written > 0 && error == ENOENT ? EXIT_NOT_FOUND : EXIT_UNLOADABLE);
}

static int complain_start(const char *path, int error)
{
	switch (error) {
	case E2BIG:
		complain("cannot start '%s': the arguments and the environment are too large together", path);
		return EXIT_UNLOADABLE;
	case ENOENT:
		complain("cannot start '%s': it, or its interpreter, is not there", path);
		return EXIT_NOT_FOUND;
	default:
		complain("cannot start '%s': %s", path, strerror(error));
		return EXIT_UNLOADABLE;
	}
}

/* A descriptor a recording is held while it is watched. */
static void raise_descriptor_limit(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

int launch_start(struct launch *launch, const char *path, char **argv)
{
	int complaint[2], error = 0;
	sigset_t watched;
	sigemptyset(&watched);
	for (unsigned i = 0; i < sizeof passed_on / sizeof passed_on[0]; i++)
		sigaddset(&watched, passed_on[i]);
	/* SIGCHLD ignored means that the kernel throws exit statuses away; SIGPIPE would lose ours. */
	const struct sigaction standard = { .sa_handler = SIG_DFL }, ignore = { .sa_handler = SIG_IGN };
	sigaction(SIGCHLD, &standard, &child_before);
	sigaction(SIGPIPE, &ignore, &pipe_before);
	/* Before the fork: a signal that comes in between waits in the descriptor. */
	sigprocmask(SIG_BLOCK, &watched, &mask_before);
	signals = signalfd(-1, &watched, SFD_CLOEXEC);
	if (signals < 0 || pipe2(complaint, O_CLOEXEC) != 0) {
		complain("cannot start '%s': %s", path, strerror(errno));
		return EXIT_FAILED;
	}
	launch->pid = fork();
	if (launch->pid < 0) {
		complain("cannot start '%s': %s", path, strerror(errno));
		return EXIT_FAILED;
	}
	if (launch->pid == 0)
		become(path, argv, complaint[1]);
	close(complaint[1]);
	ssize_t got;
	do
		got = read(complaint[0], &error, sizeof error);
	while (got < 0 && errno == EINTR);
	close(complaint[0]);
	if (got == (ssize_t)sizeof error) {
		while (waitpid(launch->pid, NULL, 0) < 0 && errno == EINTR)
			;
		launch->pid = 0;
		return complain_start(path, error);
	}
	/* The program must not count on what only it has: not before the fork. */
	raise_descriptor_limit();
	launch->pidfd = (int)syscall(SYS_pidfd_open, launch->pid, 0);
	pthread_t passer;
	error = pthread_create(&passer, NULL, pass_signals, launch);
	if (error)
		complain("signals are not passed on to '%s', ignoring: %s", path, strerror(error));
	else
		pthread_detach(passer);
	return 0;
}

static void reap(struct launch *launch)
{
	int status;
	if (!launch->ended && waitpid(launch->pid, &status, WNOHANG) == launch->pid) {
		launch->status = status;
		launch->ended = true;
	}
}

void launch_wait(struct launch *launch, int timeout_ms)
{
	struct pollfd end = { .fd = launch->pidfd, .events = POLLIN };
	poll(&end, 1, timeout_ms);
	reap(launch);
}

int launch_exit_code(const struct launch *launch)
{
	return WIFSIGNALED(launch->status) ? 128 + WTERMSIG(launch->status) : WEXITSTATUS(launch->status);
}

void launch_release(struct launch *launch)
{
	/* The thread that passes signals on lives as long as the command: its descriptors stay. */
	free(launch->directory);
	launch->directory = NULL;
}
