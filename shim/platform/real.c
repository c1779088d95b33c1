#include "platform/real.h"

#include "base/context.h"
#include "platform/sys.h"

struct real_functions real;
int real_state;

static __thread bool resolving TLS_IE;

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

void *real_find(const char *name, const char *version)
{
	void *found = version ? dlvsym(RTLD_NEXT, name, version) : NULL;
	return found ? found : dlsym(RTLD_NEXT, name);
}

void *real_find_anywhere(const char *name)
{
	return dlsym(RTLD_DEFAULT, name);
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
	/*
	 * What is sure to be there comes first: a name that is not found makes dlsym allocate its message, and where
	 * another allocator is preloaded before us that one takes its locks, which are hooks of ours. See
	 * scripts/real-programs.sh, jemalloc.
	 */
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < COUNT_OF(symbols); i++) {
			if (symbols[i].required == (pass == 0))
				*(void **)((char *)&real + symbols[i].slot) =
				    real_find(symbols[i].name, symbols[i].version);
		}
	}
	/* A failed dlsym leaves a message that the program's next dlerror would show: take it away. */
	dlerror();
	errno = kept_errno;
	resolving = false;
	__atomic_store_n(&real_state, 2, __ATOMIC_RELEASE);
	return true;
}
