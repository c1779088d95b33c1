#include "platform/real.h"

#include "base/context.h"
#include "platform/elf_next.h"
#include "platform/sys.h"

struct real_functions real;
int real_state;

/* Volatile: libc declares dlsym as never calling back into this file, and it does. */
static __thread volatile bool resolving TLS_IE;

static const struct {
	const char *name, *version;
	bool required;
	uint32_t slot;
} symbols[] = {
#define REQUIRED true
#define OPTIONAL false
#define SYM(symbol, need, wanted_version) \
	{ .name = #symbol, \
	  .version = (wanted_version), \
	  .required = (need), \
	  .slot = offsetof(struct real_functions, symbol) },
#include "platform/symbols.def"
};

/* Of that version, else the default one. Objects without a GNU hash table are left to dlsym. */
static void *find_next(const char *name, const char *version)
{
	void *found = version ? elf_next(name, version) : NULL;
	return found ? found : elf_next(name, NULL);
}

void *real_find(const char *name, const char *version)
{
	void *found = version ? dlvsym(RTLD_NEXT, name, version) : NULL;
	return found ? found : dlsym(RTLD_NEXT, name);
}

void *real_find_anywhere(const char *name)
{
	return elf_any(name);
}

bool real_resolve(void)
{
	if (resolving)
		return false;
	int expected = 0;
	if (!__atomic_compare_exchange_n(&real_state, &expected, 1, false, __ATOMIC_ACQUIRE,
					 __ATOMIC_ACQUIRE)) {
		/* Another thread resolves: before main that cannot be, so this is short and rare. */
		while (__atomic_load_n(&real_state, __ATOMIC_ACQUIRE) != 2)
			sys_sleep(10000);
		return true;
	}
	resolving = true;
	int kept_errno = errno;
	elf_next_begin();
	for (size_t i = 0; i < COUNT_OF(symbols); i++) {
		void *found = find_next(symbols[i].name, symbols[i].version);
		if (!found && symbols[i].required)
			found = real_find(symbols[i].name, symbols[i].version);
		*(void **)((char *)&real + symbols[i].slot) = found;
	}
	errno = kept_errno;
	resolving = false;
	__atomic_store_n(&real_state, 2, __ATOMIC_RELEASE);
	return true;
}
