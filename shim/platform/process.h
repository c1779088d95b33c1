/*
 * What the kernel says about this process, read from /proc without libc.
 *
 * Context: hook, unless said otherwise.
 */
#ifndef WH_PLATFORM_PROCESS_H
#define WH_PLATFORM_PROCESS_H

#include <signal.h>

#include "base/context.h"
#include "base/text.h"
#include "base/types.h"

/*
 * A word that is 1 in this process and 0 in any child that was forked from it, however that was
 * done (fork, _Fork, a raw system call): the kernel wipes its page in the child.
 */
extern HIDDEN const uint32_t *process_canary;
/*
 * A second word in that page: while it is not 0 the hooks of the allocator need not ask whether anything is
 * out of the ordinary. 0 to begin with and in any such child; never set where forks can't be noticed so.
 * GATE_OFF: they have nothing to do but to pass the call on.
 */
enum process_gate { GATE_CLOSED, GATE_EXACT, GATE_SAMPLED, GATE_OFF };
extern HIDDEN uint32_t *process_gate;
void process_gate_set(enum process_gate gate);
/* Makes the canary (anew, in a fork child). */
void process_canary_make(void);

/* The bit of a signal in the masks of /proc/PID/status. */
#define PROCESS_SIGNAL(number) (UINT64_C(1) << ((number)-1))
/* Those that come of what a thread does itself, and libc's own two (32, 33): none will come to one that sleeps. */
#define PROCESS_SIGNALS_OF_ITSELF \
	(PROCESS_SIGNAL(SIGILL) | PROCESS_SIGNAL(SIGTRAP) | PROCESS_SIGNAL(SIGABRT) | \
	 PROCESS_SIGNAL(SIGBUS) | PROCESS_SIGNAL(SIGFPE) | PROCESS_SIGNAL(SIGSEGV) | \
	 PROCESS_SIGNAL(SIGSYS) | PROCESS_SIGNAL(32) | PROCESS_SIGNAL(33))

/* The path of the running program into `text`; "?" where /proc is not there. */
void process_exe(struct text *text);
/* The arguments, a NUL behind each, cut to `bytes`; how many bytes there are. */
size_t process_argv(char *buffer, size_t bytes);
/*
 * A file in /proc/PID, or of one of its threads; `pid` 0: the calling process. Cut to `bytes`, a NUL at its end. Return: bytes
 * without it, or -errno.
 */
long process_read(int32_t pid, const char *name, char *buffer, size_t bytes);
long process_read_task(int32_t pid, int32_t tid, const char *name, char *buffer, size_t bytes);
/* Number `field` (from 3) of a /proc stat line; the name in field 2 may hold anything but ends at the last ')'. */
uint64_t process_stat_field(const char *stat, int field);
/* Field 22 of /proc/self/stat: clock ticks since boot at which the process started. 0: unknown. */
uint64_t process_started_ticks(void);
uint64_t process_started_ticks_of(int32_t pid);
int32_t process_parent(void);
/* Which pid namespace the process's own pid is of; 0: unknown. */
uint64_t process_pid_namespace(void);
/* In memory and of no file, nor shared. */
uint64_t process_anonymous_bytes(void);
/*
 * Each number that names an entry of a /proc directory which is open as `directory`, until `each` says false.
 * Return: whether it was read to the end, or as far as `each` wanted.
 */
bool process_numbers(int directory, bool (*each)(int32_t number, void *data), void *data);
/* Tasks of this process other than `but` that are not dead; -1: /proc can't be read. */
int process_other_tasks(int32_t but);
/*
 * Threads of this process, the calling one, and a first one that has ended, included; -1: not known. Takes no descriptor, so
 * that it may be asked while the program's threads run.
 */
int process_threads(void);
/* A value from the environment the process was started with, or NULL. Works before libc is up. */
const char *process_environment(const char *name);
/*
 * Whom the program lets trace it, where Yama guards it (PR_SET_PTRACER): the kernel does not say, so the hook of prctl notes
 * it, for who has to let somebody else for a moment. 0: nobody, or it was noted before a fork.
 */
void process_tracer_note(unsigned long tracer);
unsigned long process_tracer(void);
/* Where the first thread's stack ends, upwards: the kernel put the arguments there. 0: unknown. */
uint64_t process_stack_high(void);
/* Where the kernel, or the loader, entered the program: its _start. 0: unknown. */
uint64_t process_entry(void);

#endif
