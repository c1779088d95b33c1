#include "reporter/cli/bare_stack.h"

#include <elfutils/libdwfl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* DWARF's numbers of the registers that /proc knows, on x86-64. */
#define REGISTER_SP 7
#define REGISTER_PC 16

struct bare_stacks {
	Dwfl *dwfl;
	pid_t pid;
	int memory;
	/* Of the thread that is being looked at. */
	Dwarf_Word pc, sp;
	uint64_t *frames;
	size_t count, room;
	bool whole;
};

static char *debuginfo_path;

static const Dwfl_Callbacks callbacks = {
	.find_elf = dwfl_linux_proc_find_elf,
	.find_debuginfo = dwfl_standard_find_debuginfo,
	.debuginfo_path = &debuginfo_path,
};

/* One thread only, under the process's own number: whose registers are meant is in the struct. */
static pid_t next_thread(Dwfl *dwfl, void *data, void **thread)
{
	struct bare_stacks *stacks = data;
	(void)dwfl;
	if (*thread)
		return 0;
	*thread = stacks;
	return stacks->pid;
}

static bool get_thread(Dwfl *dwfl, pid_t tid, void *data, void **thread)
{
	(void)dwfl;
	(void)tid;
	*thread = data;
	return true;
}

static bool memory_read(Dwfl *dwfl, Dwarf_Addr address, Dwarf_Word *ret_word, void *data)
{
	const struct bare_stacks *stacks = data;
	(void)dwfl;
	return pread(stacks->memory, ret_word, sizeof *ret_word, (off_t)address) == (ssize_t)sizeof *ret_word;
}

static bool set_registers(Dwfl_Thread *thread, void *data)
{
	const struct bare_stacks *stacks = data;
	dwfl_thread_state_register_pc(thread, stacks->pc);
	return dwfl_thread_state_registers(thread, REGISTER_SP, 1, &stacks->sp) &&
	       dwfl_thread_state_registers(thread, REGISTER_PC, 1, &stacks->pc);
}

static const Dwfl_Thread_Callbacks thread_callbacks = {
	.next_thread = next_thread,
	.get_thread = get_thread,
	.memory_read = memory_read,
	.set_initial_registers = set_registers,
};

struct bare_stacks *bare_stacks_open(pid_t pid, int memory)
{
	struct bare_stacks *stacks = calloc(1, sizeof *stacks);
	if (!stacks)
		return NULL;
	stacks->pid = pid;
	stacks->memory = memory;
	stacks->dwfl = dwfl_begin(&callbacks);
	if (stacks->dwfl && dwfl_linux_proc_report(stacks->dwfl, pid) == 0 &&
	    dwfl_report_end(stacks->dwfl, NULL, NULL) == 0 &&
	    dwfl_attach_state(stacks->dwfl, NULL, pid, &thread_callbacks, stacks))
		return stacks;
	bare_stacks_close(stacks);
	return NULL;
}

static int take_frame(Dwfl_Frame *frame, void *data)
{
	struct bare_stacks *stacks = data;
	Dwarf_Addr pc;
	bool is_activation;
	if (!dwfl_frame_pc(frame, &pc, &is_activation) || !pc)
		return DWARF_CB_ABORT;
	if (stacks->count == stacks->room)
		return DWARF_CB_ABORT;
	stacks->frames[stacks->count++] = pc;
	return DWARF_CB_OK;
}

size_t bare_stack_of(struct bare_stacks *stacks, uint64_t pc, uint64_t sp, uint64_t *ret_frames, size_t room,
		     bool *ret_whole)
{
	*ret_whole = false;
	if (!pc || !room)
		return 0;
	ret_frames[0] = pc;
	if (!stacks)
		return 1;
	stacks->pc = pc;
	stacks->sp = sp;
	stacks->frames = ret_frames;
	stacks->room = room;
	stacks->count = 0;
	*ret_whole = dwfl_getthread_frames(stacks->dwfl, stacks->pid, take_frame, stacks) == 0;
	return stacks->count ? stacks->count : 1;
}

void bare_stacks_close(struct bare_stacks *stacks)
{
	if (!stacks)
		return;
	if (stacks->dwfl)
		dwfl_end(stacks->dwfl);
	free(stacks);
}
