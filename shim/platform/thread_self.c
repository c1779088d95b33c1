#include "platform/thread_self.h"

#include <pthread.h>
#include <sys/prctl.h>

#include "platform/sys.h"

uint64_t thread_self_handle(void)
{
	return (uint64_t)pthread_self();
}

uint64_t thread_self_pointer(void)
{
	uint64_t pointer;
	__asm__("mov %%fs:0, %0" : "=r"(pointer));
	return pointer;
}

void thread_self_name(char *name)
{
	name[0] = '\0';
	if (sys_sandboxed)
		return;
	sys_call2(SYS_prctl, PR_GET_NAME, name);
	name[15] = '\0';
}
