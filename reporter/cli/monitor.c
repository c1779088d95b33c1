#include "reporter/cli/monitor.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/units.h"
#include "reporter/cli/complain.h"
#include "reporter/recording/process.h"

/*
 * When the run was ended by a signal, its other processes have got it too and are on their way out: they are waited
 * for this long. Chosen by feel.
 */
#define GRACE_NS (500 * NSEC_PER_MSEC)
/* Of the time, one part in so many may go into reports of one process while it runs. */
#define TELL_SHARE 10
/* More than two ticks of the coarsest kernel clock there is (100 Hz). */
#define CLOCK_TICK_NS (25 * (int64_t)NSEC_PER_MSEC)
#define GRACE_STEP_NS (10 * (long)NSEC_PER_MSEC)

/* A file is known by its name, which holds a pid, and its inode: each alone may be used again. */
struct stranger {
	char *name;
	ino_t inode;
	bool present; /* seen in the last reading of the directory */
};

struct watched {
	char *name;
	ino_t inode;
	struct reader reader;
	uint32_t told;      /* findings of its log up to this number were told */
	uint32_t stories;   /* how many the text has told */
	nsec_t quiet_until; /* it is not looked at again before */
	bool over;          /* its process has ended: what it says is final */
	bool ended;         /* told to its end, and closed */
};

void monitor_init(struct monitor *monitor, struct renderer *renderer, const struct launch *launch, bool keep)
{
	*monitor = (struct monitor){ .renderer = renderer, .launch = launch, .keep = keep, .dirty = true };
}

/* -- finding the recordings ------------------------------------------------ */

static void *grown(void *array, size_t count, size_t *room, size_t size)
{
	if (count < *room)
		return array;
	size_t wanted = *room ? *room * 2 : 16;
	void *more = realloc(array, wanted * size);
	if (more)
		*room = wanted;
	return more;
}

static bool is_watched(const struct monitor *monitor, const char *name, ino_t inode)
{
	for (size_t i = 0; i < monitor->watched_count; i++)
		if (monitor->watched[i].inode == inode && strcmp(monitor->watched[i].name, name) == 0)
			return true;
	return false;
}

static bool is_stranger(struct monitor *monitor, const char *name, ino_t inode)
{
	for (size_t i = 0; i < monitor->stranger_count; i++)
		if (monitor->strangers[i].inode == inode && strcmp(monitor->strangers[i].name, name) == 0) {
			monitor->strangers[i].present = true;
			return true;
		}
	return false;
}

static void add_stranger(struct monitor *monitor, const char *name, ino_t inode)
{
	struct stranger *more =
	    grown(monitor->strangers, monitor->stranger_count, &monitor->stranger_room, sizeof *more);
	char *copy = strdup(name);
	if (more)
		monitor->strangers = more;
	if (!more || !copy) {
		free(copy);
		return;
	}
	more[monitor->stranger_count++] = (struct stranger){ .name = copy, .inode = inode, .present = true };
}

static void drop_absent_strangers(struct monitor *monitor)
{
	size_t kept = 0;
	for (size_t i = 0; i < monitor->stranger_count; i++) {
		struct stranger stranger = monitor->strangers[i];
		if (!stranger.present) {
			free(stranger.name);
			continue;
		}
		stranger.present = false;
		monitor->strangers[kept++] = stranger;
	}
	monitor->stranger_count = kept;
}

/* Whether its pid is of another namespace than ours. */
static bool header_is_elsewhere(const struct rec_header *header)
{
	struct stat stat_buffer;
	return header->pid_namespace && stat("/proc/self/ns/pid", &stat_buffer) == 0 &&
	       header->pid_namespace != stat_buffer.st_ino;
}

/* How long a process may take to find out whether it can see its watcher. */
#define FIND_WATCHER_NS NSEC_PER_SEC

enum side { SIDE_OURS, SIDE_OTHER, SIDE_UNDECIDED };

/*
 * In another pid namespace a process sees its watcher only where /proc is still that of ours. It looks at its start; one
 * that does not see us tells its findings itself.
 */
static enum side side_of(const struct rec_header *header)
{
	if (!header_is_elsewhere(header))
		return SIDE_OURS;
	if (atomic_load_explicit(&header->watcher_pid, memory_order_acquire) == getpid())
		return SIDE_OURS;
	return process_now() - header->started_mono < FIND_WATCHER_NS ? SIDE_UNDECIDED : SIDE_OTHER;
}

/* A file that is no recording yet may become one for so long. */
#define MAKING_NS NSEC_PER_SEC

/* Whether what could not be read will never be: it is damaged, of another version, somebody else's, or no recording at all. */
static bool is_hopeless(int error, const struct stat *file)
{
	struct timespec now;
	if (error != -EINVAL)
		return error == -EBADMSG || error == -EPROTONOSUPPORT || error == -EACCES || error == -EPERM;
	clock_gettime(CLOCK_REALTIME, &now);
	int64_t age = (int64_t)(now.tv_sec - file->st_mtim.tv_sec) * (int64_t)NSEC_PER_SEC;
	return age > (int64_t)MAKING_NS || age < -(int64_t)MAKING_NS;
}

/* Return: whether the matter is settled; false: the file is still being made, look again. */
static bool take_file(struct monitor *monitor, const char *name, const struct stat *file)
{
	const ino_t inode = file->st_ino;
	char path[READER_PATH_BYTES + 256];
	struct reader reader;
	snprintf(path, sizeof path, "%s/%s", monitor->launch->directory, name);
	int error = reader_attach(path, &reader);
	if (error == -ENOENT)
		return true;
	if (error && is_hopeless(error, file))
		add_stranger(monitor, name, inode);
	if (error)
		return error != -EINVAL || is_hopeless(error, file);
	bool ours = strcmp(view_text(&reader.view, reader.header.run), monitor->launch->run) == 0;
	enum side side = ours ? side_of(&reader.header) : SIDE_OTHER;
	if (side != SIDE_OURS) {
		reader_close(&reader);
		if (side == SIDE_OTHER)
			add_stranger(monitor, name, inode);
		return side == SIDE_OTHER;
	}
	struct watched *more =
	    grown(monitor->watched, monitor->watched_count, &monitor->watched_room, sizeof *more);
	char *copy = strdup(name);
	if (more)
		monitor->watched = more;
	if (!more || !copy) {
		free(copy);
		reader_close(&reader);
		return true;
	}
	more[monitor->watched_count++] = (struct watched){ .name = copy, .inode = inode, .reader = reader };
	struct process_stat self;
	if (process_stat(getpid(), 0, &self) == 0)
		reader_watch(&more[monitor->watched_count - 1].reader, getpid(), self.started_boot_ticks);
	return true;
}

/*
 * A directory's time tells whether files came or went since it was read, up to the kernel's clock tick. (inotify would tell
 * it sooner than anybody needs it, and closing it takes longer than many a program runs.)
 */
static bool may_hold_new(struct monitor *monitor)
{
	struct stat stat_buffer;
	struct timespec now;
	if (stat(monitor->launch->directory, &stat_buffer) != 0)
		return false;
	clock_gettime(CLOCK_REALTIME_COARSE, &now);
	const struct timespec *changed = &stat_buffer.st_mtim;
	int64_t age = (now.tv_sec - changed->tv_sec) * (int64_t)NSEC_PER_SEC + now.tv_nsec - changed->tv_nsec;
	bool same =
	    changed->tv_sec == monitor->changed.tv_sec && changed->tv_nsec == monitor->changed.tv_nsec;
	monitor->changed = *changed;
	return monitor->dirty || !same || age < CLOCK_TICK_NS;
}

/* The process whose recording lies under the name that it has around exec; 0: the name is another. */
static pid_t hidden_pid(const char *name)
{
	char *end;
	if (name[0] != '.' || name[1] < '0' || name[1] > '9')
		return 0;
	long pid = strtol(name + 1, &end, 10);
	return strcmp(end, REC_HIDDEN_SUFFIX) == 0 && pid > 0 && pid <= INT32_MAX ? (pid_t)pid : 0;
}

/*
 * What a process hid when it became another program is removed by that program, unless it is one that can't be
 * preloaded into. Nothing was found in it; when the process is gone nobody wants it any more.
 */
static void sweep_hidden(const struct monitor *monitor, const char *name, pid_t pid)
{
	char path[READER_PATH_BYTES + 256];
	struct reader reader;
	if (kill(pid, 0) == 0 || errno != ESRCH)
		return;
	snprintf(path, sizeof path, "%s/%s", monitor->launch->directory, name);
	if (reader_attach(path, &reader) != 0)
		return;
	bool ours = strcmp(view_text(&reader.view, reader.header.run), monitor->launch->run) == 0 &&
		    !header_is_elsewhere(&reader.header) && process_of(&reader.header) == 0;
	reader_close(&reader);
	if (ours)
		unlink(path);
}

static void find_recordings(struct monitor *monitor)
{
	if (!monitor->launch->directory || !may_hold_new(monitor))
		return;
	monitor->dirty = false;
	DIR *directory = opendir(monitor->launch->directory);
	for (struct dirent *entry; directory && (entry = readdir(directory));) {
		struct stat stat_buffer;
		size_t length = strlen(entry->d_name), suffix = strlen(REC_SUFFIX);
		pid_t hidden = hidden_pid(entry->d_name);
		if (hidden)
			sweep_hidden(monitor, entry->d_name, hidden);
		if (length <= suffix || strcmp(entry->d_name + length - suffix, REC_SUFFIX) != 0 ||
		    fstatat(dirfd(directory), entry->d_name, &stat_buffer, AT_SYMLINK_NOFOLLOW) != 0 ||
		    !S_ISREG(stat_buffer.st_mode))
			continue;
		if (!is_watched(monitor, entry->d_name, stat_buffer.st_ino) &&
		    !is_stranger(monitor, entry->d_name, stat_buffer.st_ino) &&
		    !take_file(monitor, entry->d_name, &stat_buffer))
			monitor->dirty = true;
	}
	if (directory)
		closedir(directory);
	drop_absent_strangers(monitor);
}

/* -- telling --------------------------------------------------------------- */

/* `requested`: how many reports the program has asked for (wh_report), where it waits for one; else 0. */
static void tell_news(struct monitor *monitor, struct watched *watched, uint32_t requested)
{
	struct account account = {
		.reader = &watched->reader,
		.pid = process_of(&watched->reader.header),
		.trigger = requested ? TRIGGER_REQUEST : TRIGGER_THRESHOLD,
		.since = watched->told,
		.quiet_end = !requested,
		.all_threads = requested,
	};
	uint32_t stories = 0;
	nsec_t before = process_now();
	if ((before < watched->quiet_until && !requested) || reader_refresh(&watched->reader) != 0)
		return;
	renderer_tell(monitor->renderer, &account, &watched->told, &stories);
	watched->stories += stories;
	if (requested)
		reader_requests_told(&watched->reader, requested);
	/* One that finds something all the time must not keep a processor busy with reports of it. */
	nsec_t after = process_now();
	watched->quiet_until = after + (after - before) * TELL_SHARE;
}

/* How the process ended, from the kernel where it is our child, else from its own last words. */
static void describe_end(const struct monitor *monitor, const struct rec_header *header,
			 struct account *account)
{
	const struct launch *launch = monitor->launch;
	unsigned state = atomic_load_explicit(&header->state, memory_order_relaxed);
	bool first = launch->ended && header->pid == launch->pid && state != REC_EXECED &&
		     !header_is_elsewhere(header);
	account->trigger = state == REC_EXITED || state == REC_EXECED ? TRIGGER_EXIT : TRIGGER_CRASH;
	account->has_exit_code = state == REC_EXITED && header->exit_code >= 0;
	account->exit_code = header->exit_code;
	if (first && WIFSIGNALED(launch->status)) {
		account->trigger = TRIGGER_CRASH;
		account->has_exit_code = false;
		account->signal = WTERMSIG(launch->status);
	} else if (first) {
		account->trigger = TRIGGER_EXIT;
		account->has_exit_code = true;
		account->exit_code = WEXITSTATUS(launch->status);
	}
	account->all_threads = account->trigger == TRIGGER_CRASH;
}

/* One line where everything was told while it lasted, so that the end is not a repetition of it. */
static void tell_end_in_short(struct monitor *monitor, struct watched *watched, const struct account *account)
{
	struct renderer *renderer = monitor->renderer;
	const struct view *view = &watched->reader.view;
	const struct rec_header *header = view->header;
	char line[512];
	struct text text = TEXT_OF(line);
	nsec_t last = process_last_moment(header);
	if (strcmp(renderer->args->format, "text") != 0)
		return;
	text_format(&text, "whoholds: %.*s (pid %d) ended", 200, view_program(view), header->pid);
	if (account->signal)
		text_format(&text, ", killed by signal %d (%s)", account->signal, strsignal(account->signal));
	text_put(&text, " after ");
	units_put_duration(&text, last > header->started_mono ? last - header->started_mono : 0);
	text_format(&text, "; %u %s reported above\n", watched->stories,
		    watched->stories == 1 ? "finding was" : "findings were");
	for (size_t i = 0; i + 1 < text.used; i++)
		if ((unsigned char)line[i] < ' ' || line[i] == 127)
			line[i] = '?';
	renderer->text.sink.put(&renderer->text.sink, line, text.used);
	output_flush(&renderer->text, view);
}

/* What is kept must not be taken for a new recording of the run. */
static void remove_file(struct monitor *monitor, const struct watched *watched)
{
	struct stat stat_buffer;
	/* Under that name there may be the recording of another process by now. */
	if (lstat(watched->reader.path, &stat_buffer) != 0 || stat_buffer.st_ino != watched->inode)
		return;
	if (monitor->keep || unlink(watched->reader.path) != 0)
		add_stranger(monitor, watched->name, watched->inode);
}

static void tell_end(struct monitor *monitor, struct watched *watched)
{
	struct account account = { .reader = &watched->reader, .since = watched->told, .quiet_end = true };
	uint32_t stories = 0;
	watched->ended = true;
	if (reader_refresh(&watched->reader) != 0) {
		complain("%s", watched->reader.error);
	} else {
		const struct rec_header *header = watched->reader.view.header;
		unsigned state = atomic_load_explicit(&header->state, memory_order_relaxed);
		describe_end(monitor, header, &account);
		/* A shell that became its last command has nothing to report but that. */
		bool nothing =
		    state == REC_EXECED && !atomic_load_explicit(&header->alerts, memory_order_relaxed);
		if (!nothing)
			renderer_tell(monitor->renderer, &account, NULL, &stories);
		if (!stories && watched->stories)
			tell_end_in_short(monitor, watched, &account);
		if (monitor->keep)
			complain("kept the recording '%s'", watched->reader.path);
	}
	remove_file(monitor, watched);
	reader_close(&watched->reader);
}

/* Whether a process that said it becomes another program has done so: there is a newer recording of it. */
static bool was_replaced(const struct monitor *monitor, const struct watched *watched)
{
	const struct rec_header *header = &watched->reader.header;
	for (const struct watched *other = watched + 1; other < monitor->watched + monitor->watched_count;
	     other++)
		if (!other->ended && other->reader.header.pid == header->pid &&
		    other->reader.header.started_boot_ticks == header->started_boot_ticks)
			return true;
	return false;
}

/* Return: whether its story is at its end. */
static bool has_ended(const struct monitor *monitor, const struct watched *watched)
{
	const struct rec_header *header = &watched->reader.header;
	if (atomic_load_explicit(&header->state, memory_order_relaxed) == REC_EXECED &&
	    was_replaced(monitor, watched))
		return true;
	/* Our own child has ended when it was waited for: only then it is known how. */
	if (header->pid == monitor->launch->pid && !header_is_elsewhere(header))
		return monitor->launch->ended;
	return process_of(header) == 0;
}

static void look_at(struct monitor *monitor, struct watched *watched)
{
	/* Before the header is read: what it says is final only if the process was gone by then. */
	watched->over = has_ended(monitor, watched);
	watched->over |= reader_glance(&watched->reader, &watched->reader.header) != 0;
	const struct rec_header *header = &watched->reader.header;
	/* On its way out it adds what the detectors of the end find: that belongs to the report of the end. */
	if (watched->over || header->ended_mono)
		return;
	uint32_t requests = atomic_load_explicit(&header->requests, memory_order_relaxed);
	if (requests != atomic_load_explicit(&header->requests_told, memory_order_relaxed))
		tell_news(monitor, watched, requests);
	else if (atomic_load_explicit(&header->alerts, memory_order_acquire) > watched->told)
		tell_news(monitor, watched, 0);
}

/* The one among those that have ended which did so first; NULL: none is left. */
static struct watched *first_to_end(const struct monitor *monitor)
{
	struct watched *first = NULL;
	for (size_t i = 0; i < monitor->watched_count; i++) {
		struct watched *next = &monitor->watched[i];
		if (next->over && !next->ended &&
		    (!first ||
		     process_last_moment(&next->reader.header) < process_last_moment(&first->reader.header)))
			first = next;
	}
	return first;
}

/* -- the watch ------------------------------------------------------------- */

/* Those told to their end need no place. Order matters: a replaced program stands before its successor. */
static void drop_ended(struct monitor *monitor)
{
	size_t kept = 0;
	for (size_t i = 0; i < monitor->watched_count; i++) {
		if (monitor->watched[i].ended)
			free(monitor->watched[i].name);
		else
			monitor->watched[kept++] = monitor->watched[i];
	}
	monitor->watched_count = kept;
}

void monitor_poll(struct monitor *monitor)
{
	find_recordings(monitor);
	for (size_t i = 0; i < monitor->watched_count; i++)
		look_at(monitor, &monitor->watched[i]);
	for (struct watched *next; (next = first_to_end(monitor));)
		tell_end(monitor, next);
	drop_ended(monitor);
}

void monitor_finish(struct monitor *monitor)
{
	const struct launch *launch = monitor->launch;
	const struct timespec step = { .tv_nsec = GRACE_STEP_NS };
	nsec_t until = process_now() + GRACE_NS;
	monitor->dirty = true;
	monitor_poll(monitor);
	bool leaving = launch->signalled || WIFSIGNALED(launch->status);
	while (monitor->watched_count && leaving && process_now() < until) {
		nanosleep(&step, NULL);
		monitor_poll(monitor);
	}
	for (size_t i = 0; i < monitor->watched_count; i++) {
		reader_watch(&monitor->watched[i].reader, 0, 0);
		reader_close(&monitor->watched[i].reader);
		free(monitor->watched[i].name);
	}
	for (size_t i = 0; i < monitor->stranger_count; i++)
		free(monitor->strangers[i].name);
	free(monitor->watched);
	free(monitor->strangers);
	*monitor = (struct monitor){ 0 };
}
