#include "hooks/descriptor.h"

#include "platform/sys.h"
#include "registry/opened.h"
#include "registry/recording.h"
#include "stack/memory.h"

void descriptor_opened(struct hook *hook, int number, bool more)
{
	int error = errno;
	if (number <= STDERR_FILENO)
		return;
	struct resource descriptor = { .kind = KIND_DESCRIPTOR,
				       .handle = (uint64_t)number,
				       .stack = hook_stack(hook) };
	opened_unmet((uint64_t)number);
	resource_acquired(&descriptor);
	if (!more)
		opened_count(descriptor.stack);
	errno = error;
}

void descriptor_closed(int number)
{
	struct resource descriptor = { .kind = KIND_DESCRIPTOR, .handle = (uint32_t)number };
	struct rec_hold was;
	if (resource_released(&descriptor, &was))
		opened_closed(was.stack);
}

/* The kernel has just written there, so it can be read. */
READS_STACKS void descriptors_came(struct hook *hook, const struct msghdr *message)
{
	struct msghdr header = *message;
	for (struct cmsghdr *part = CMSG_FIRSTHDR(&header); part; part = CMSG_NXTHDR(&header, part)) {
		const int *numbers = (const int *)(const void *)CMSG_DATA(part);
		if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < (part->cmsg_len - CMSG_LEN(0)) / sizeof *numbers; i++)
			descriptor_opened(hook, numbers[i], i > 0);
	}
}

static __thread uint32_t closed_first TLS_IE, closed_last TLS_IE; /* for is_closed */

static bool is_closed(const struct rec_hold *hold)
{
	return hold->kind == KIND_DESCRIPTOR && hold->handle >= closed_first && hold->handle <= closed_last;
}

void descriptors_closed(uint32_t first, uint32_t last)
{
	/* The child of a vfork clears its own table, and shares all else with its parent. */
	if (sys_pid() != recording->pid)
		return;
	closed_first = first;
	closed_last = last;
	resource_forget(is_closed);
}
