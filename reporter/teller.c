#include "reporter/teller.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "options.h"
#include "platform/files.h"
#include "platform/guest.h"
#include "platform/process.h"
#include "platform/sys.h"
#include "registry/recording.h"
#include "registry/thread.h"
#include "reporter/write/file_name.h"
#include "reporter/write/writers.h"
#include "stack/memory.h"
#include "start.h"

extern char **environ;

/* Long enough to read the debug information of a browser; past it the report is given up, not the program. */
#define TELL_TIMEOUT (120 * NSEC_PER_SEC)

/*
 * Whether the watcher is still there: its number may be another process's by now. Looked at without opening anything, since the
 * program's threads run and count on the numbers that they get; but where its program can't be seen.
 */
static bool is_watching(int32_t pid, uint64_t ticks)
{
	static const char command[] = "/whoholds";
	char path[64], exe[512];
	struct text text = TEXT_OF(path);
	text_format(&text, "/proc/%d/exe", pid);
	long length = sys_readlink(path, exe, sizeof exe);
	if (length == -ENOENT)
		return false;
	if (length <= 0 || (size_t)length >= sizeof exe)
		return process_started_ticks_of(pid) == ticks;
	exe[length] = '\0';
	const char *name = strrchr(exe, '/');
	return name && strncmp(name, command, sizeof command - 1) == 0;
}

bool teller_watched(void)
{
	/* Nobody can read a recording that is gone with its process. */
	if (__atomic_load_n((uint32_t *)&recording->flags, __ATOMIC_RELAXED) & REC_PRIVATE)
		return false;
	int32_t pid = __atomic_load_n((int32_t *)&recording->watcher_pid, __ATOMIC_ACQUIRE);
	uint64_t ticks = __atomic_load_n((uint64_t *)&recording->watcher_ticks, __ATOMIC_RELAXED);
	return pid && ticks && is_watching(pid, ticks);
}

/* The command lies beside the library: ../bin/whoholds. False: it is not there. */
static bool find_command(struct text *path)
{
	const char *library = start_library_path();
	const char *slash = strrchr(library, '/');
	if (!slash)
		return false;
	text_format(path, "%.*s/../bin/whoholds", (int)(slash - library), library);
	return !path->cut && sys_call3(SYS_faccessat, AT_FDCWD, path->at, 1 /* X_OK */) == 0;
}

/* -- where it goes ---------------------------------------------------------- */

/* What was standard error at the start; all 0: it was closed. */
static struct stat at_start;

void teller_start(void)
{
	struct stat status = { .st_mode = 0 };
	memset(&at_start, 0, sizeof at_start);
	if (sys_call2(SYS_fstat, 2, &status) == 0)
		at_start = status;
}

/*
 * Whether descriptor `fd`, which is number 2 of the program, is still for messages. What it was at the start is; so
 * is what a daemon puts there in its place: a terminal, /dev/null, a pipe to a logger, a log file. A program that closes
 * it may as well have a database or a connection there by now, which are open for reading, too.
 */
static bool is_for_messages(int fd)
{
	struct stat now = { .st_mode = 0 };
	if (!at_start.st_mode || sys_call2(SYS_fstat, fd, &now) != 0)
		return false;
	if (now.st_dev == at_start.st_dev && now.st_ino == at_start.st_ino)
		return true;
	if (S_ISREG(now.st_mode))
		return (sys_call2(SYS_fcntl, fd, F_GETFL) & O_ACCMODE) == O_WRONLY;
	return S_ISCHR(now.st_mode) || S_ISFIFO(now.st_mode);
}

/* Standard error of the program as it is now; -1: none that is for messages. To be closed with close_out. */
static int open_stderr(void)
{
	int fd = self.guest ? files_take(2) : 2;
	if (fd < 0 || is_for_messages(fd))
		return MAX_OF(fd, -1);
	if (fd > 2)
		sys_close(fd);
	return -1;
}

/* Where text goes: standard error, or the file of the option `log`; -1: it can't be opened. */
static int open_log(void)
{
	if (strcmp(options.log, "stderr") == 0)
		return open_stderr();
	char path[OPTION_TEXT_BYTES + 64];
	struct text text = TEXT_OF(path);
	file_name_expand(&text, options.log, recording_view());
	return sys_open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOCTTY, 0666);
}

static void close_out(int out)
{
	if (out > 2)
		sys_close(out);
}

static bool begins_with(const char *string, const char *name)
{
	char start[32];
	size_t length = strlen(name);
	return memory_copy(start, (uintptr_t)string, length) && memcmp(start, name, length) == 0;
}

#define VARIABLES_MOST ((size_t)1 << 16)

/* The next one of the environment, which `at` is moved on to; NULL: there is none, or it can't be read. */
static char *next_variable(char *const **at)
{
	char *variable = NULL;
	if (*at && memory_copy(&variable, (uintptr_t)*at, sizeof variable) && variable)
		++*at;
	return variable;
}

/*
 * The environment without our own preload: the command must not be recorded itself. The program may be changing it
 * at this moment, and then its array lies elsewhere: the kernel copies what is read. NULL: no memory.
 */
static char **clean_environment(struct arena *arena)
{
	char *const *start = __atomic_load_n(&environ, __ATOMIC_RELAXED);
	char *const *at = start;
	size_t count = 0;
	while (count < VARIABLES_MOST && next_variable(&at))
		count++;
	char **clean = arena_array(arena, count + 1, sizeof *clean);
	size_t used = 0;
	at = start;
	for (char *variable; clean && used < count && (variable = next_variable(&at));)
		if (!begins_with(variable, "LD_PRELOAD=") && !begins_with(variable, "WHOHOLDS_OPTIONS="))
			clean[used++] = variable;
	return clean;
}

/* -- children --------------------------------------------------------------- */

#define LEFT_MOST 4u /* the oldest is waited for where there are more */

static const uint32_t *leave_word;     /* NULL: nobody is ever called away */
static int32_t left[LEFT_MOST];        /* children that go on without anybody waiting; 0: none */
static const uint32_t left_alone = 1u; /* for a look at one of them */

void teller_leave(const uint32_t *word)
{
	leave_word = word;
}

static void reap_left(const uint32_t *leave)
{
	for (unsigned i = 0; i < LEFT_MOST; i++)
		if (left[i] && guest_reap(left[i], TELL_TIMEOUT, leave) != -EINPROGRESS)
			left[i] = 0;
}

void teller_tidy(void)
{
	reap_left(&left_alone);
}

void teller_fork_child(void)
{
	memset(left, 0, sizeof left);
}

static void keep_left(int32_t pid)
{
	unsigned i = 0;
	while (i < LEFT_MOST - 1 && left[i])
		i++;
	if (left[i])
		guest_reap(left[i], TELL_TIMEOUT, NULL);
	left[i] = pid;
}

/*
 * Runs it and waits for it, one after the other, so that what they write does not mingle. The reporter thread may be called away
 * from that: whoever ends it must not be held up for as long as it takes to tell. Return: as guest_reap.
 */
static int run_command(const char *path, char *const argv[], char *const envp[], int out)
{
	const uint32_t *leave = self.guest ? leave_word : NULL;
	reap_left(leave);
	int32_t pid = guest_spawn(path, argv, envp, out);
	int status = pid < 0 ? pid : guest_reap(pid, TELL_TIMEOUT, leave);
	if (status == -EINPROGRESS)
		keep_left(pid);
	return status;
}

/* -- telling ---------------------------------------------------------------- */

static const char *const trigger_words[] = { "exit", "threshold", "request", "crash" };

/* Return: whether the command has told it. */
static bool tell_by_command(struct arena *arena, int out, uint32_t since, enum trigger trigger)
{
	char path[600], number[48], why[48], json[OPTION_TEXT_BYTES + 64];
	struct text text = TEXT_OF(path);
	if (!*recording_path() || !find_command(&text))
		return false;
	text = TEXT_OF(number);
	text_format(&text, "--new-since=%u", since);
	text = TEXT_OF(why);
	text_format(&text, "--trigger=%s", trigger_words[trigger]);
	text = TEXT_OF(json);
	/* As it stands: the command fills in what %p and %n are. */
	text_format(&text, "--json=%s", options.json);
	bool with_json = strcmp(options.json, "none") != 0;
	char *argv[] = { path,
			 (char *)"report",
			 number,
			 why,
			 with_json ? json : (char *)"--",
			 (char *)recording_path(),
			 NULL };
	char **envp = clean_environment(arena);
	if (!envp)
		return false;
	int status = run_command(path, argv, envp, out);
	if (status == -EINPROGRESS)
		return true;
	return status >= 0 && (status & 0x7f) == 0 && (status >> 8 & 0xff) < 125;
}

static int put_fd(struct sink *sink, const char *bytes, size_t count)
{
	return sys_write_all(*(int *)sink->data, bytes, count);
}

/* What the detectors found since, out of the log; an array in the arena. */
static const struct finding **findings_since(struct arena *arena, uint32_t since, uint32_t *ret_count)
{
	uint32_t room = recording->alerts - since;
	const struct finding **found = arena_array(arena, (size_t)room + 1, sizeof *found);
	const struct finding *finding = NULL;
	uint32_t number = 0;
	*ret_count = 0;
	while (found && (finding = finding_next(recording_view(), finding)))
		if (++number > since && *ret_count < room)
			found[(*ret_count)++] = finding;
	return found;
}

static void tell_by_itself(struct arena *arena, int out, uint32_t since, enum trigger trigger)
{
	struct snapshot snapshot;
	snapshot_take(recording_view(), sys_monotonic(), arena, &snapshot);
	struct report report = {
		.view = recording_view(),
		.snapshot = &snapshot,
		.symbolizer = &symbolizer_plain,
		.arena = arena,
		.trigger = trigger,
		.has_exit_code = recording->exit_code >= 0 && trigger == TRIGGER_EXIT,
		.exit_code = recording->exit_code,
		.all_threads = trigger == TRIGGER_REQUEST,
	};
	report.found = findings_since(arena, since, &report.found_count);
	struct sink sink = { .put = put_fd, .data = &out };
	if (out >= 0 && (report.found_count || report.all_threads))
		write_text(&report, &sink);
	if (strcmp(options.json, "none") == 0)
		return;
	char path[OPTION_TEXT_BYTES + 64];
	struct text text = TEXT_OF(path);
	file_name_expand(&text, options.json, recording_view());
	int fd = sys_open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOCTTY, 0666);
	if (fd < 0)
		return;
	sink = (struct sink){ .put = put_fd, .data = &fd };
	write_json(&report, &sink);
	sys_close(fd);
}

void teller_tell(uint32_t since, enum trigger trigger)
{
	struct arena arena = { .more = sys_pages, .less = sys_pages_free };
	int out = open_log();
	if (!tell_by_command(&arena, out, since, trigger))
		tell_by_itself(&arena, out, since, trigger);
	close_out(out);
	arena_release(&arena);
}

/* Whether something came to light since then; that something is over is no reason to act. */
static bool has_tripped(uint32_t since)
{
	const struct finding *finding = NULL;
	for (uint32_t number = 1; (finding = finding_next(recording_view(), finding)); number++)
		if (number > since && !(finding->flags & FOUND_OVER))
			return true;
	return false;
}

void teller_act(uint32_t since)
{
	if (!has_tripped(since))
		return;
	if (strcmp(options.action, "abort") == 0) {
		/* To the main thread, as abort() does, so that the core file is of the program's own making. */
		sys_kill_thread(recording->pid, recording->pid, 6);
	} else if (strncmp(options.action, "exec:", 5) == 0) {
		struct arena arena = { .more = sys_pages, .less = sys_pages_free };
		char pid[64];
		struct text text = TEXT_OF(pid);
		text_format(&text, "%d", recording->pid);
		char *argv[] = { (char *)"/bin/sh",  (char *)"-c", options.action + 5,
				 (char *)"whoholds", pid,          NULL };
		char **envp = clean_environment(&arena);
		int out = open_stderr();
		if (envp)
			run_command("/bin/sh", argv, envp, out);
		close_out(out);
		arena_release(&arena);
	}
}
