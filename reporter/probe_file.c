#include "reporter/probe.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/digits.h"
#include "base/hash.h"
#include "base/text.h"
#include "platform/sys.h"
#include "registry/recording.h"

/* Younger than this it may not be in the kernel's tables yet, or not in ours. */
#define FILE_LOCK_AGE (50 * NSEC_PER_MSEC)

/* Files asked for, a look. Chosen somewhat arbitrarily. */
#define FILES_ASKED 64u

static bool is_old(const struct snapshot *snapshot, nsec_t since)
{
	return snapshot->now > since && snapshot->now - since >= FILE_LOCK_AGE;
}

/* The same number as the hook gives a file; 0: it can't be asked for. */
static uint64_t identity_of(int32_t tid, uint32_t fd, uint64_t *ret_inode)
{
	char path[64];
	struct text text = TEXT_OF(path);
	struct stat status = { .st_ino = 0 };
	text_format(&text, "/proc/self/task/%d/fd/%u", tid, fd);
	if (sys_call4(SYS_newfstatat, AT_FDCWD, path, &status, 0) != 0)
		return 0;
	*ret_inode = status.st_ino;
	return hash_add(hash_mix(status.st_dev), status.st_ino) | 1;
}

enum answer { NO, YES, UNKNOWN };

/* Whether a lock belongs to the open file behind a descriptor, which must be `identity`'s still. */
static enum answer file_has_lock(int32_t tid, uint32_t fd, uint64_t identity)
{
	char path[64], info[4096];
	struct text text = TEXT_OF(path);
	uint64_t inode;
	uint64_t is = identity_of(tid, fd, &inode);
	if (is != identity)
		return is || sys_sandboxed ? NO : UNKNOWN;
	text_format(&text, "/proc/self/task/%d/fdinfo/%u", tid, fd);
	if (sys_read_file(path, info, sizeof info) <= 0)
		return UNKNOWN;
	return strstr(info, "FLOCK ") || strstr(info, "OFDLCK ") ? YES : NO;
}

/* In the recording as well, so that whoever else looks at it does not see a lock that is over. */
static void end_hold(const struct snap_thread *thread, struct rec_hold *hold)
{
	struct rec_thread *slot = (struct rec_thread *)view_thread(recording_view(), thread->slot);
	uint8_t live = HOLD_LIVE;
	hold->state = HOLD_GONE;
	for (uint32_t i = 0; slot && i < MIN_OF(slot->hold_count, REC_SLOT_HOLDS); i++)
		if (slot->holds[i].kind == KIND_FILE_LOCK && slot->holds[i].serial == hold->serial &&
		    atomic_load_explicit(&slot->changes, memory_order_acquire) == thread->changes)
			__atomic_compare_exchange_n((uint8_t *)&slot->holds[i].state, &live,
						    (uint8_t)HOLD_GONE, false, __ATOMIC_ACQ_REL,
						    __ATOMIC_RELAXED);
}

static void check_holds(struct snapshot *snapshot, unsigned *left)
{
	for (uint32_t i = 0; i < snapshot->thread_count; i++) {
		struct snap_thread *thread = &snapshot->threads[i];
		for (uint32_t h = 0; h < thread->hold_count && *left; h++) {
			struct rec_hold *hold = &thread->holds[h];
			if (hold->kind != KIND_FILE_LOCK || !is_old(snapshot, hold->since))
				continue;
			--*left;
			/* Not known: then it proves nothing. */
			if (file_has_lock(thread->tid, hold->descriptor, hold->handle) == NO)
				end_hold(thread, hold);
		}
	}
}

/* -- who has it, by the kernel's list ---------------------------------------- */

#define LOCKS_BYTES (64u << 10)

static const char *field(const char *line, unsigned number)
{
	for (;;) {
		while (*line == ' ')
			line++;
		if (!number-- || !*line || *line == '\n')
			return line;
		while (*line && *line != ' ' && *line != '\n')
			line++;
	}
}

static uint64_t decimal(const char *at)
{
	uint64_t number;
	digits_decimal(at, &number);
	return number;
}

/* The inode in `fe:01:4711`. */
static uint64_t inode_of(const char *at)
{
	for (unsigned colons = 0; *at && *at != ' ' && *at != '\n' && colons < 2; at++)
		colons += *at == ':';
	return decimal(at);
}

/*
 * A lock has a line with a number, and those who wait for it follow with the same number and an arrow. The
 * process that has the lock on `inode` that this one waits for; 0: itself, or not known.
 */
static int32_t other_holder(const char *locks, uint64_t inode, int32_t pid)
{
	int32_t holder = 0;
	for (const char *line = locks; line && *line;) {
		bool waits = strncmp(field(line, 1), "->", 2) == 0;
		const char *who = field(line, waits ? 5 : 4);
		if (!waits)
			holder = inode_of(field(line, 5)) == inode ? (int32_t)decimal(who) : 0;
		else if (holder && (int32_t)decimal(who) == pid && inode_of(field(line, 6)) == inode)
			return holder == pid ? 0 : holder;
		const char *newline = strchr(line, '\n');
		line = newline ? newline + 1 : NULL;
	}
	return 0;
}

static void check_waits(struct snapshot *snapshot, unsigned *left)
{
	char *locks = NULL;
	for (uint32_t i = 0; i < snapshot->thread_count && *left; i++) {
		struct snap_thread *thread = &snapshot->threads[i];
		const struct rec_wait *wait = &thread->wait;
		if (!thread->waiting || thread->torn || wait->kind != KIND_FILE_LOCK)
			continue;
		/*
		 * What belongs to the very file that it waits with is changed, not waited for: then it is
		 * somebody else who is in the way.
		 */
		thread->wait_unclear = true;
		if (!wait->handle || !is_old(snapshot, wait->since))
			continue;
		--*left;
		thread->wait_unclear =
		    wait->op == OP_lockf ||
		    file_has_lock(thread->tid, (uint32_t)wait->handle2, wait->handle) != NO;
		uint64_t inode = 0;
		if (!identity_of(thread->tid, (uint32_t)wait->handle2, &inode))
			continue;
		if (!locks) {
			locks = sys_pages_lazy(LOCKS_BYTES);
			if (!locks || sys_read_file("/proc/locks", locks, LOCKS_BYTES) <= 0)
				break;
		}
		thread->wait_pid = other_holder(locks, inode, sys_pid());
	}
	if (locks)
		sys_pages_free(locks, LOCKS_BYTES);
}

void probe_file_locks(struct snapshot *snapshot)
{
	unsigned left = FILES_ASKED;
	check_holds(snapshot, &left);
	check_waits(snapshot, &left);
}
