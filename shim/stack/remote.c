#include "stack/remote.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "base/text.h"
#include "platform/sys.h"
#include "registry/recording.h"
#include "stack/depot.h"
#include "stack/memory.h"
#include "stack/stack.h"
#include "stack/unwind.h"

#define STATUS_BYTES 256u

/* What the kernel says about where a thread is; the same before and after: it did not run in between. */
struct whereabouts {
	char syscall[STATUS_BYTES];
	char schedule[STATUS_BYTES]; /* time on a processor; "" where the kernel does not count it */
};

static struct room {
	struct walk walk;
	struct whereabouts before, after;
	uint8_t copies[CFI_COPY_BYTES];
} * room;
static uint32_t room_in_use;

static long read_task_file(int32_t tid, const char *name, char *buffer)
{
	char path[64];
	struct text text = TEXT_OF(path);
	text_format(&text, "/proc/self/task/%d/%s", tid, name);
	long got = sys_read_file(path, buffer, STATUS_BYTES);
	return got == -ENOENT ? -ESRCH : got;
}

static int read_whereabouts(int32_t tid, struct whereabouts *ret_where)
{
	long got = read_task_file(tid, "schedstat", ret_where->schedule);
	if (got < 0)
		ret_where->schedule[0] = '\0';
	got = read_task_file(tid, "syscall", ret_where->syscall);
	return got < 0 ? (int)got : 0;
}

static uint64_t parse_hex(const char *text)
{
	uint64_t value = 0;
	if (strncmp(text, "0x", 2) != 0)
		return 0;
	for (text += 2;; text++) {
		unsigned digit = (unsigned char)*text;
		if (digit - '0' <= 9)
			digit -= '0';
		else if (digit - 'a' <= 5)
			digit -= 'a' - 10;
		else
			return value;
		value = value << 4 | digit;
	}
}

/* "running", or numbers of which the last two are the stack pointer and the pc. */
static bool parse_place(const char *line, uint64_t *ret_sp, uint64_t *ret_pc)
{
	const char *last = strrchr(line, ' ');
	if (!last)
		return false;
	const char *before = last;
	while (before > line && before[-1] != ' ')
		before--;
	*ret_sp = parse_hex(before);
	*ret_pc = parse_hex(last + 1);
	return *ret_sp && *ret_pc;
}

static const struct rec_thread *slot_of(int32_t tid)
{
	const struct view *view = recording_view();
	const struct rec_thread *slot;
	for (uint32_t i = 0; (slot = view_thread(view, i)); i++)
		if (atomic_load_explicit(&slot->tid, memory_order_relaxed) == tid &&
		    atomic_load_explicit(&slot->state, memory_order_relaxed) == THREAD_RUNNING)
			return slot;
	return NULL;
}

/* From a hook's frame on, whose registers are unknown: to the frame of its caller, which the thread has noted. */
static bool cross_hook(int32_t tid, struct registers *registers)
{
	uint64_t pc = registers->values[CFI_RIP];
	if (pc < recording->shim_start || pc >= recording->shim_end)
		return false;
	const struct rec_thread *slot = slot_of(tid);
	if (!slot)
		return false;
	uint32_t changes = atomic_load_explicit(&slot->changes, memory_order_acquire);
	uint32_t waits = slot->wait_depth;
	if ((changes & 1) || !waits || waits > REC_SLOT_WAITS)
		return false;
	uint64_t sp = slot->waits[waits - 1].sp;
	atomic_thread_fence(memory_order_acquire);
	uint64_t saved[2]; /* the hook's own frame: frame pointer and return address */
	if (atomic_load_explicit(&slot->changes, memory_order_relaxed) != changes ||
	    sp <= registers->values[CFI_RSP] || !memory_copy(saved, sp - sizeof saved, sizeof saved))
		return false;
	registers->known = 1u << CFI_RSP | 1u << CFI_RBP | 1u << CFI_RIP;
	registers->values[CFI_RSP] = sp;
	registers->values[CFI_RBP] = saved[0];
	registers->values[CFI_RIP] = saved[1];
	return true;
}

static enum unwind_end walk_thread(struct walk *walk, int32_t tid, uint64_t sp, uint64_t pc)
{
	struct registers registers = { .known = 1u << CFI_RSP | 1u << CFI_RIP };
	struct reach reach = { .page = 1, .foreign = true };
	bool exact = true;
	registers.values[CFI_RSP] = sp;
	registers.values[CFI_RIP] = pc;
	walk->first = WALK_MOST;
	for (;;) {
		walk->frames[--walk->first] = (struct unwind_frame){ .pc = registers.values[CFI_RIP] };
		enum unwind_end end = unwind_step(&walk->cfi, &registers, &exact, &reach);
		if (end == UNWIND_LOST && cross_hook(tid, &registers)) {
			exact = false;
			end = UNWIND_MORE;
		}
		if (end != UNWIND_MORE)
			return end;
		if (WALK_MOST - walk->first == walk->limit)
			return UNWIND_FULL;
	}
}

static int look(int32_t tid, stack_id *ret_stack)
{
	uint64_t sp, pc;
	int error = read_whereabouts(tid, &room->before);
	if (error)
		return error;
	if (!parse_place(room->before.syscall, &sp, &pc))
		return -EAGAIN;
	struct walk *walk = &room->walk;
	walk->cfi.copies = room->copies;
	walk->limit = unwind_depth;
	enum unwind_end end = walk_thread(walk, tid, sp, pc);
	error = read_whereabouts(tid, &room->after);
	if (error)
		return error;
	if (strcmp(room->before.syscall, room->after.syscall) != 0 ||
	    strcmp(room->before.schedule, room->after.schedule) != 0)
		return -EAGAIN;
	uint32_t count = WALK_MOST - walk->first;
	uint16_t flags = STACK_EXACT_PC | (end == UNWIND_OUTERMOST ? 0 : STACK_TRUNCATED);
	const struct unwind_frame *frames = &walk->frames[walk->first];
	*ret_stack = depot_put(frames, count, flags, depot_hash_all(frames, count));
	return *ret_stack ? 0 : -ENOMEM;
}

int stack_of_thread(int32_t tid, stack_id *ret_stack)
{
	if (!recording)
		return -ENOMEM;
	if (__atomic_exchange_n(&room_in_use, 1, __ATOMIC_ACQUIRE))
		return -EAGAIN;
	if (!room)
		room = sys_pages_lazy(sizeof *room);
	int error = room ? look(tid, ret_stack) : -ENOMEM;
	__atomic_store_n(&room_in_use, 0, __ATOMIC_RELEASE);
	return error;
}

void remote_fork_child(void)
{
	room_in_use = 0;
}
