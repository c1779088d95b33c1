/*
 * Functions of the C++ runtime. They are looked up at the first call of each: a C program may load libstdc++
 * with a plugin, long after the others were resolved.
 */
#ifndef WH_HOOKS_CXX_RUNTIME_H
#define WH_HOOKS_CXX_RUNTIME_H

#include <stdbool.h>

struct cxx_function {
	void *address; /* NULL: there is none anywhere */
	bool is_libstdcxx;
};

/*
 * The function of that name that would be called without us, also where RTLD_NEXT does not look. Waits for nobody who loads a
 * library, but where there is none: then it may allocate and take the loader's lock. Context: hook, with self.busy held.
 */
struct cxx_function cxx_runtime_find(const char *name);

#endif
