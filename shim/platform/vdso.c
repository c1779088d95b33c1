#include "platform/vdso.h"

#include <elf.h>
#include <errno.h>
#include <link.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/auxv.h>

#include "base/context.h"
#include "platform/elf_next.h"
#include "platform/sys.h"

typedef long clock_function(clockid_t clock, struct timespec *ret_now);

static long by_call(clockid_t clock, struct timespec *ret_now)
{
	return sys_call2(SYS_clock_gettime, clock, ret_now);
}

/* Set by the first who asks. Several at once find the same. */
static clock_function *function;

/* The object's program headers tell where the rest of it is. */
static void *find(const ElfW(Ehdr) * object, const char *name)
{
	const ElfW(Phdr) *headers = (const void *)((const char *)object + object->e_phoff);
	const ElfW(Dyn) *dynamic = NULL;
	uintptr_t bias = 0;
	bool loads = false;
	void *found = NULL;

	for (unsigned i = 0; i < object->e_phnum; i++)
		if (headers[i].p_type == PT_LOAD && !loads) {
			loads = true;
			bias = (uintptr_t)object + headers[i].p_offset - headers[i].p_vaddr;
		}
	for (unsigned i = 0; loads && i < object->e_phnum; i++)
		if (headers[i].p_type == PT_DYNAMIC)
			dynamic = (const void *)(bias + headers[i].p_vaddr);
	return dynamic && elf_definition(dynamic, bias, name, NULL, &found) ? found : NULL;
}

NOINLINE static clock_function *look(void)
{
	int kept = errno;
	uintptr_t object = getauxval(AT_SYSINFO_EHDR);
	errno = kept;
	clock_function *found =
	    object ? (clock_function *)(uintptr_t)find((const void *)object, "__vdso_clock_gettime") : NULL;
	if (!found)
		found = by_call;
	__atomic_store_n(&function, found, __ATOMIC_RELAXED);
	return found;
}

bool vdso_time(clockid_t clock, struct timespec *ret_now)
{
	clock_function *known = __atomic_load_n(&function, __ATOMIC_RELAXED);

	if (UNLIKELY(!known))
		known = look();
	return known(clock, ret_now) == 0;
}
