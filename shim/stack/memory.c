#include "stack/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/uio.h>

#include "platform/sys.h"

bool memory_readable(uint64_t address)
{
	if (sys_sandboxed)
		return false;
	/*
	 * The kernel copies the new mask in before it looks at what to do with it, and there
	 * is nothing to do with it where `how` is nonsense: EFAULT or EINVAL, and no effect. Filters
	 * that let a program run at all let this call pass, unlike those that read memory.
	 */
	return sys_call4(SYS_rt_sigprocmask, -1, address & ~UINT64_C(7), 0, 8) == -EINVAL;
}

static bool copy_from_proc(void *to, uint64_t from, size_t bytes)
{
	int fd = sys_open("/proc/self/mem", O_RDONLY, 0);
	if (fd < 0)
		return false;
	long got = sys_call4(SYS_pread64, fd, to, bytes, from);
	sys_close(fd);
	return got == (long)bytes;
}

bool memory_copy(void *to, uint64_t from, size_t bytes)
{
	if (sys_sandboxed)
		return false;
	struct iovec mine = { .iov_base = to, .iov_len = bytes };
	struct iovec its = { .iov_base = (void *)from, .iov_len = bytes };
	long got = sys_call6(SYS_process_vm_readv, sys_pid(), (long)&mine, 1, (long)&its, 1, 0);
	if (got == -EPERM || got == -ENOSYS)
		return copy_from_proc(to, from, bytes);
	return got == (long)bytes;
}

READS_STACKS bool reach_ask(struct reach *reach, uint64_t address, uint64_t *ret_word)
{
	if (address % sizeof *ret_word)
		return false; /* it might lie across two pages; and no stack is like that */
	if (reach->foreign)
		return memory_copy(ret_word, address, sizeof *ret_word);
	uint64_t page = address & ~(MEMORY_PAGE - 1);
	if (page != reach->page) {
		if (!memory_readable(address))
			return false;
		reach->page = page;
	}
	*ret_word = *(const uint64_t *)address;
	return true;
}
