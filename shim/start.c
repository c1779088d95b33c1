#include "start.h"

#include <stdlib.h>
#include <string.h>

#include "hooks/alloc.h"
#include "hooks/bind.h"
#include "hooks/check_heap.h"
#include "hooks/hook.h"
#include "hooks/kept.h"
#include "options.h"
#include "platform/elf_next.h"
#include "platform/guest.h"
#include "platform/lock.h"
#include "platform/process.h"
#include "platform/sys.h"
#include "platform/tsd.h"
#include "platform/unforked.h"
#include "registry/alert.h"
#include "registry/allocation.h"
#include "registry/contention.h"
#include "registry/count.h"
#include "registry/destroyed.h"
#include "registry/farewell.h"
#include "registry/foreign_heap.h"
#include "registry/freed.h"
#include "registry/iteration.h"
#include "registry/mapping.h"
#include "registry/misuse.h"
#include "registry/object.h"
#include "registry/opened.h"
#include "registry/order.h"
#include "registry/orphan.h"
#include "registry/overhead.h"
#include "registry/pool.h"
#include "registry/recording.h"
#include "registry/release.h"
#include "registry/resource.h"
#include "registry/stack_depth.h"
#include "reporter/ending.h"
#include "reporter/scan/scan.h"
#include "reporter/teller.h"
#include "reporter/watchdog.h"

extern char **environ;

/* -- start ----------------------------------------------------------------- */

enum shim_state { SHIM_NEW, SHIM_STARTING, SHIM_ON, SHIM_OFF };

static uint32_t state;
static char library_path[512];

/* "NAME=value" of what a child needs to be followed; kept as it was when we started. */
static char child_variables[4][1100];
static const char *child_environment[5];

const char *start_library_path(void)
{
	return library_path;
}

const char *const *start_child_environment(void)
{
	return child_environment;
}

static void complain(const char *message)
{
	char line[800];
	struct text text = TEXT_OF(line);
	text_format(&text, "whoholds[%d]: %s\n", sys_pid(), message);
	sys_write_all(2, line, text.used);
}

/* A program that brings a sanitizer has its own malloc and lock hooks, which ours would blind. */
static bool has_sanitizer(void)
{
	static const char *const marks[] = { "__asan_init", "__tsan_init", "__msan_init", "__lsan_init" };
	for (size_t i = 0; i < COUNT_OF(marks); i++)
		if (real_find_anywhere(marks[i]))
			return true;
	return false;
}

static void keep_child_environment(void)
{
	static const char *const names[] = { "WHOHOLDS_OPTIONS", "WHOHOLDS_DIR", "WHOHOLDS_RUN" };
	unsigned count = 0;
	const char *preload = process_environment("LD_PRELOAD");
	struct text text = TEXT_OF(child_variables[count]);
	text_format(&text, "LD_PRELOAD=%s",
		    preload && strstr(preload, "libwhoholds") ? preload : library_path);
	child_environment[count++] = child_variables[0];
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		const char *value = process_environment(names[i]);
		if (!value)
			continue;
		text = TEXT_OF(child_variables[count]);
		text_format(&text, "%s=%s", names[i], value);
		if (!text.cut)
			child_environment[count] = child_variables[count], count++;
	}
	child_environment[count] = NULL;
}

/*
 * With children=no: takes the library out of LD_PRELOAD, in place, since system() and popen() pass the
 * environment on without asking anybody.
 */
static void leave_environment(void)
{
	char *list = (char *)process_environment("LD_PRELOAD");
	char *name = list ? strstr(list, "libwhoholds.so") : NULL;
	if (!name)
		return;
	char *start = name, *end = name + strlen("libwhoholds.so");
	while (start > list && start[-1] != ':' && start[-1] != ' ')
		start--;
	if (*end)
		end++;
	else if (start > list)
		start--;
	memmove(start, end, strlen(end) + 1);
}

static void store_exit_status(int status, void *data)
{
	(void)data;
	if (recording && recording->pid == sys_pid())
		recording->exit_code = status;
}

void start_want_exit_status(void)
{
	static bool is_asked;
	if (!__atomic_exchange_n(&is_asked, true, __ATOMIC_RELAXED))
		on_exit(store_exit_status, NULL);
}

static void groups_on(void)
{
	uint32_t groups = HOOK_PROCESS | HOOK_BLOCKING;
	if (options.alloc != ALLOC_OFF)
		groups |= HOOK_ALLOC;
	if (options.locks)
		groups |= HOOK_LOCK;
	if (options.iterators)
		groups |= HOOK_PAIR;
	if (options.mappings)
		groups |= HOOK_MAPPING;
	__atomic_store_n(&hook_groups, groups, __ATOMIC_RELEASE);
}

/*
 * WHOHOLDS_RUN is "ID:PID" of the command that started the run and renders what is found in it; "+ID:PID" where
 * it wants to see the end of every process, also of one in which nothing was found.
 */
static void find_watcher(void)
{
	const char *run = view_text(recording_view(), recording->run);
	const char *at = strrchr(run, ':');
	int32_t pid = 0;
	for (at = at ? at + 1 : ""; *at >= '0' && *at <= '9'; at++)
		pid = pid * 10 + (*at - '0');
	uint64_t ticks = pid ? process_started_ticks_of(pid) : 0;
	if (!ticks)
		return;
	__atomic_store_n((uint64_t *)&recording->watcher_ticks, ticks, __ATOMIC_RELAXED);
	__atomic_store_n((int32_t *)&recording->watcher_pid, pid, __ATOMIC_RELEASE);
}

/* Whether the recording stays where nothing was found. A command that is gone looks at no end any more. */
static bool is_kept(void)
{
	return options.keep || (*view_text(recording_view(), recording->run) == '+' && teller_watched());
}

static bool shim_set_up(void)
{
	options_init(&options);
	const char *list = process_environment("WHOHOLDS_OPTIONS");
	options_parse(&options, list ? list : "", complain);
	if (has_sanitizer()) {
		complain("the program brings its own sanitizer; nothing is recorded");
		return false;
	}
	struct text path = TEXT_OF(library_path);
	text_put(&path, elf_own_path());
	if (options.children)
		keep_child_environment();
	else
		leave_environment();
	recording_configure(process_environment("WHOHOLDS_DIR"), process_environment("WHOHOLDS_RUN"));
	stack_set_depth(options.depth);
	int error = recording_open();
	if (error) {
		complain("no memory for a recording; nothing is recorded");
		return false;
	}
	find_watcher();
	teller_start();
	process_canary_make();
	tsd_init(thread_end);
	stack_depth_start();
	thread_slot();
	recording_publish();
	alloc_start();
	on_exit(store_exit_status, NULL);
	return true;
}

void start_shim(void)
{
	/* Before libc's own constructor there is no environment, and little else. */
	if (__atomic_load_n(&state, __ATOMIC_ACQUIRE) != SHIM_NEW || !environ)
		return;
	uint32_t expected = SHIM_NEW;
	if (!__atomic_compare_exchange_n(&state, &expected, SHIM_STARTING, false, __ATOMIC_ACQ_REL,
					 __ATOMIC_RELAXED))
		return;
	int kept_errno = errno;
	self.busy += HOOK_IN_ALLOCATOR;
	bool good = real_ready() && shim_set_up();
	self.busy -= HOOK_IN_ALLOCATOR;
	if (good)
		groups_on();
	__atomic_store_n(&state, good ? SHIM_ON : SHIM_OFF, __ATOMIC_RELEASE);
	errno = kept_errno;
}

/* Loads libunwind for comparisons. In the constructor: the loader must be done, and no other thread be there. */
static void verify_start(void)
{
	self.busy += HOOK_IN_ALLOCATOR;
	if (stack_verify_init(options.verify_stacks) == 0)
		recording->verify_stacks = options.verify_stacks;
	else
		complain("libunwind.so.8 is not there; verify_stacks compares nothing");
	self.busy -= HOOK_IN_ALLOCATOR;
}

__attribute__((constructor)) static void start_constructor(void)
{
	real_ready();
	start_shim();
	/* Now the loader is done with what the program needs: record all of it, for addresses of data too. */
	if (recording)
		stack_modules_changed(false);
	if (recording)
		bind_start(complain);
	if (recording && options.verify_stacks)
		verify_start();
}

/* A vfork child runs in the parent's memory: it must not touch what is the parent's. */
static bool is_own_process(void)
{
	return recording && recording->pid == sys_pid();
}

/* -- the reporter thread --------------------------------------------------- */

static struct lock reporter_lock;
static uint32_t reporter_state; /* 0: not started, 1: runs, 2: never (again) */
static uint32_t reporter_pauses;

/* Shorter lives need no reporter: nothing in them lasts long enough to be reported. */
#define MOMENT (100 * NSEC_PER_MSEC)

static void reporter_start(void)
{
	if (!is_own_process() || !lock_take(&reporter_lock))
		return;
	if (reporter_state == 0 && !reporter_pauses) {
		reporter_state = 1;
		if (watchdog_start() < 0) {
			reporter_state = 2;
			recording_degrade(REC_NO_REPORTER);
		}
	}
	lock_release(&reporter_lock);
}

void reporter_want(void)
{
	reporter_want_at(0);
}

void reporter_want_now(void)
{
	if (LIKELY(reporter_state) || self.guest || !recording)
		return;
	reporter_start();
}

void reporter_want_at(nsec_t at)
{
	if (LIKELY(reporter_state) || self.guest || !recording)
		return;
	/* Something to lose: other threads, or a hold that a wait would now keep from others. */
	bool now = recording->threads_started > 1 || (self.slot && self.slot->hold_count) ||
		   recording->tables[REC_RESOURCES].used;
	if (now || (at ? at : sys_monotonic_coarse()) >= recording->started_mono + MOMENT)
		reporter_start();
}

bool reporter_pause(void)
{
	if (!is_own_process() || self.guest || !lock_take(&reporter_lock))
		return false;
	if (reporter_pauses++ == 0 && reporter_state == 1) {
		watchdog_stop();
		reporter_state = 0;
	}
	lock_release(&reporter_lock);
	return true;
}

static void reporter_unpause(void)
{
	if (!lock_take(&reporter_lock))
		return;
	if (reporter_pauses)
		reporter_pauses--;
	lock_release(&reporter_lock);
}

void reporter_resume(bool paused)
{
	if (!paused || !is_own_process() || self.guest)
		return;
	reporter_unpause();
	reporter_want();
}

bool reporter_in_the_way(void)
{
	int threads = reporter_threads() ? process_threads() : 0;
	return threads == 2 || threads < 0;
}

unsigned reporter_threads(void)
{
	return reporter_state == 1 && !self.guest && is_own_process();
}

bool reporter_is_task(int32_t tid)
{
	return !self.guest && is_own_process() && watchdog_is_task(tid);
}

/* For a program to look at what it asked for, and to act on it: at least what a timer's slack makes of a sleep. */
#define ASIDE (20 * NSEC_PER_MSEC)
static nsec_t reporter_aside_until;

void reporter_step_aside(void)
{
	int kept_errno = errno;
	nsec_t until = sys_monotonic_coarse() + ASIDE;
	if (!reporter_threads()) {
		/* Nor does it begin meanwhile. */
		__atomic_store_n(&reporter_aside_until, until, __ATOMIC_RELAXED);
	} else if (reporter_in_the_way() && watchdog_rests() && reporter_pause()) {
		__atomic_store_n(&reporter_aside_until, until, __ATOMIC_RELAXED);
		reporter_unpause();
	}
	errno = kept_errno;
}

void reporter_want_later(void)
{
	if (!reporter_aside_until ||
	    sys_monotonic_coarse() >= __atomic_load_n(&reporter_aside_until, __ATOMIC_RELAXED))
		reporter_want();
}

/*
 * The report is of this moment, so the thread stays in it until that is written. Not for longer than this: who
 * writes may be stopped, or have nowhere to write to.
 */
#define REQUEST_TIMEOUT (5 * NSEC_PER_SEC)

void start_report_now(const char *why)
{
	if (self.guest || sys_sandboxed || !recording)
		return;
	if (reporter_state == 0)
		reporter_start();
	if (reporter_state != 1)
		return;
	__atomic_store_n((text_id *)&recording->request_why, recording_text(why), __ATOMIC_RELAXED);
	uint32_t number = __atomic_add_fetch((uint32_t *)&recording->requests, 1, __ATOMIC_RELEASE);
	nsec_t until = sys_monotonic() + REQUEST_TIMEOUT;
	watchdog_poke();
	while (sys_monotonic() < until) {
		uint32_t told = __atomic_load_n((uint32_t *)&recording->requests_told, __ATOMIC_ACQUIRE);
		if ((int32_t)(told - number) >= 0)
			break;
		/* The command writes the word from outside, and wakes nobody. */
		sys_futex_wait((uint32_t *)&recording->requests_told, told, 10 * NSEC_PER_MSEC);
	}
}

#define LOST_STACK_BYTES ((size_t)512 * 1024)

struct lost {
	struct scan_caller caller;
	uint32_t era;
	size_t bytes;
};

static void find_lost(void *data)
{
	struct lost *lost = data;
	lost->bytes = scan_lost_since(&lost->caller, lost->era);
}

size_t start_lost_since(uint32_t era, const void *frame)
{
	struct lost lost = { .era = era };
	scan_caller_here(&lost.caller, frame);
	if (self.guest || sys_sandboxed || !recording || !is_own_process())
		return 0;
	int kept_errno = errno;
	bool paused = reporter_pause();
	self.busy += HOOK_IN_ALLOCATOR;
	guest_call(find_lost, &lost, LOST_STACK_BYTES);
	self.busy -= HOOK_IN_ALLOCATOR;
	reporter_resume(paused);
	errno = kept_errno;
	return lost.bytes;
}

/*
 * Long enough to look names up; a process that is about to crash loses nothing by it. In all: one that lives on, of
 * whose misuses there are many or whose standard error nobody reads, is not to be held up by each of them.
 */
#define MISUSE_TELL_TIMEOUT (20 * NSEC_PER_SEC)
static nsec_t misuse_waited;

void start_misuse_noted(bool grave)
{
	bool stops = strcmp(options.action, "abort") == 0;
	if (self.guest || sys_sandboxed || !is_own_process() || !(stops || (grave && !teller_watched())))
		return;
	int kept_errno = errno;
	uint32_t news = atomic_load_explicit(&recording->misuse_news, memory_order_acquire);
	reporter_start();
	nsec_t waited = stops ? 0 : __atomic_load_n(&misuse_waited, __ATOMIC_RELAXED);
	if (reporter_state == 1 && waited < MISUSE_TELL_TIMEOUT) {
		nsec_t from = sys_monotonic();
		watchdog_wait_told(news, MISUSE_TELL_TIMEOUT - waited);
		__atomic_fetch_add(&misuse_waited, sys_monotonic() - from, __ATOMIC_RELAXED);
	}
	errno = kept_errno;
}

void start_sandboxed(void)
{
	if (!recording || sys_sandboxed || __atomic_load_n(&state, __ATOMIC_ACQUIRE) != SHIM_ON ||
	    !is_own_process())
		return;
	reporter_pause();
	reporter_state = 2;
	recording_degrade(REC_NO_REPORTER);
	sys_sandboxed = true;
}

/* -- fork and exec --------------------------------------------------------- */

void start_fork_prepare(void)
{
	if (recording)
		count_flush();
}

void start_fork_parent(void)
{
}

void start_fork_child(void)
{
	if (__atomic_load_n(&state, __ATOMIC_ACQUIRE) != SHIM_ON || !recording || *process_canary)
		return;
	self.busy += HOOK_IN_ALLOCATOR;
	process_canary_make();
	reporter_lock.word = 0;
	reporter_pauses = 0;
	reporter_state = 0;
	watchdog_fork_child();
	unforked_fork_child();
	if (!options.children || sys_sandboxed) {
		/* The child is none of our business: nothing is recorded, nothing is found. */
		__atomic_store_n(&hook_groups, 0, __ATOMIC_RELEASE);
		__atomic_store_n(&state, SHIM_OFF, __ATOMIC_RELEASE);
		recording_fork_child();
		self.slot = NULL;
		self.busy -= HOOK_IN_ALLOCATOR;
		return;
	}
	int32_t parent = recording->pid;
	uint32_t era = recording->era;
	uint64_t verified = recording->verify_stacks;
	/* Who forks without libc's knowledge has holds that the parent may have given up since: it gets none. */
	static struct forking unannounced;
	unannounced.flags = self.slot ? self.slot->flags : 0;
	const struct forking *before = self.forking ? self.forking : &unannounced;
	orphans_collect(self.forked_at);
	self.forked_at = 0;
	resource_fork_child();
	mapping_fork_child();
	object_fork_child();
	order_fork_child();
	misuse_fork_child();
	destroyed_fork_child();
	farewell_fork_child();
	release_fork_child();
	opened_fork_child();
	freed_fork_child();
	kept_fork_child();
	iteration_fork_child();
	allocation_fork_child();
	foreign_heap_fork_child();
	pool_fork_child();
	count_fork_child();
	contention_fork_child();
	alert_fork_child();
	recording_fork_child();
	if (recording_open() == 0) {
		recording->fork_parent = (uint64_t)parent;
		recording->era = era + 1;
		recording->verify_stacks = verified;
		find_watcher();
		stack_fork_child();
		overhead_fork_child();
		bind_fork_child();
		object_fork_restore();
		thread_fork_child(before);
		stack_depth_fork_child();
		recording_publish();
	} else {
		__atomic_store_n(&hook_groups, 0, __ATOMIC_RELEASE);
		__atomic_store_n(&state, SHIM_OFF, __ATOMIC_RELEASE);
		self.slot = NULL;
	}
	self.busy -= HOOK_IN_ALLOCATOR;
}

void start_daemon_child(void)
{
	if (__atomic_load_n(&state, __ATOMIC_ACQUIRE) == SHIM_ON && recording && !*process_canary) {
		/* Still the parent's, which could not say so itself. */
		recording->exit_code = 0;
		recording->ended_mono = sys_monotonic();
		atomic_store_explicit(&recording->state, REC_EXITED, memory_order_release);
		if (recording->alerts == 0 && !is_kept())
			recording_unlink();
	}
	start_fork_child();
}

void start_before_exec(void)
{
	if (sys_sandboxed || !is_own_process())
		return;
	count_flush();
	recording->ended_mono = sys_monotonic();
	atomic_store_explicit(&recording->state, REC_EXECED, memory_order_release);
	if (recording->alerts == 0 && !is_kept())
		recording_hide();
}

void start_exec_failed(void)
{
	if (sys_sandboxed || !is_own_process())
		return;
	recording->ended_mono = 0;
	recording_unhide();
	atomic_store_explicit(&recording->state, REC_RUNNING, memory_order_release);
}

/* -- the end --------------------------------------------------------------- */

#define ENDING_STACK_BYTES ((size_t)1024 * 1024)

static int32_t ended_pid; /* a fork child has an end of its own */

static void judge(void *caller)
{
	ending_judge(caller);
}

static void process_ends(int status, enum start_end how, struct scan_caller *caller)
{
	if (__atomic_load_n(&state, __ATOMIC_ACQUIRE) != SHIM_ON)
		return;
	if (!*process_canary)
		start_fork_child();
	if (sys_sandboxed) {
		count_flush();
		atomic_store_explicit(&recording->state, how == START_END_EXIT ? REC_EXITED : REC_ABORTED,
				      memory_order_release);
		return;
	}
	if (!is_own_process() ||
	    __atomic_exchange_n(&ended_pid, recording->pid, __ATOMIC_ACQ_REL) == recording->pid)
		return;
	int kept_errno = errno;
	if (lock_take(&reporter_lock)) {
		if (reporter_state == 1)
			watchdog_stop();
		reporter_state = 2;
		lock_release(&reporter_lock);
	}
	self.busy += HOOK_IN_ALLOCATOR;
	count_flush();
	resource_forget_freed();
	bind_end();
	uint32_t told = recording->alerts;
	recording->ended_mono = sys_monotonic();
	if (status >= 0)
		recording->exit_code = status;
	if (how == START_END_EXIT)
		atomic_fetch_or_explicit(&recording->flags, REC_EXITING, memory_order_relaxed);
	if (how == START_END_EXIT && options.check_heap)
		check_heap_end();
	if (how == START_END_EXIT)
		guest_call(judge, caller, ENDING_STACK_BYTES);
	atomic_store_explicit(&recording->state, how == START_END_EXIT ? REC_EXITED : REC_ABORTED,
			      memory_order_release);
	if ((recording->alerts != told || strcmp(options.json, "none") != 0) && !teller_watched())
		teller_tell(told, how == START_END_EXIT ? TRIGGER_EXIT : TRIGGER_CRASH);
	if (how == START_END_EXIT && recording->alerts == 0 && !is_kept())
		recording_unlink();
	self.busy -= HOOK_IN_ALLOCATOR;
	errno = kept_errno;
}

void start_process_ends(int status, enum start_end how)
{
	struct scan_caller caller = { 0 };
	scan_caller_here(&caller, __builtin_frame_address(0));
	process_ends(status, how, &caller);
}

__attribute__((destructor)) static void start_destructor(void)
{
	struct scan_caller caller = { 0 };
	scan_caller_here(&caller, __builtin_frame_address(0));
	caller.exit = (uint64_t)(uintptr_t)exit;
	process_ends(recording ? recording->exit_code : -1, START_END_EXIT, &caller);
}
