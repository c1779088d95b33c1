#include "hooks/cxx_runtime.h"

#include <dlfcn.h>

#include "base/context.h"
#include "platform/real.h"

/* The C++ runtimes that may have been loaded where RTLD_NEXT does not look. */
void *cxx_runtime_find(const char *name)
{
	static const char *const runtimes[] = { "libstdc++.so.6", "libc++.so.1", "libc++abi.so.1" };
	void *found = real_find(name, NULL);
	for (size_t i = 0; !found && i < COUNT_OF(runtimes); i++) {
		void *handle = dlopen(runtimes[i], RTLD_LAZY | RTLD_NOLOAD);
		if (handle) {
			found = dlsym(handle, name);
			dlclose(handle);
		}
	}
	return found;
}
