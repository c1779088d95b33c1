/*
 * A library that is found beside the program alone ($ORIGIN in its run path) is
 * loaded, used, and unloaded, over and over; dlerror says what it should.
 * Guards: dlopen searches by who called it.
 *
 * RUN: %prog
 * RUN: whoholds run %prog
 * BUILD: -Wl,-rpath,$ORIGIN/beside -ldl
 * KINDS: none
 * EXPECT-STDOUT: found beside the program 50 times
 */
#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/check.h"

/* Puts libm there under a name that is nowhere else. */
static void put_beside(void)
{
	char exe[PATH_MAX] = "", path[PATH_MAX + 40], libm[PATH_MAX] = "";
	CHECK(readlink("/proc/self/exe", exe, sizeof exe - 1) > 0);
	*strrchr(exe, '/') = '\0';
	snprintf(path, sizeof path, "%s/beside", exe);
	/* The loader looked for it when the program started, and remembers that it was not there. */
	if (mkdir(path, 0755) == 0)
		execl("/proc/self/exe", "origin", (char *)NULL);
	snprintf(path, sizeof path, "%s/beside/libbeside.so", exe);
	void *handle = dlopen("libm.so.6", RTLD_NOW);
	CHECK(handle);
	Dl_info info;
	CHECK(dladdr(dlsym(handle, "cos"), &info));
	CHECK(realpath(info.dli_fname, libm));
	dlclose(handle);
	unlink(path);
	CHECK_EQUAL(symlink(libm, path), 0);
}

int main(void)
{
	int found = 0;

	put_beside();
	for (int i = 0; i < 50; i++) {
		void *handle = dlopen("libbeside.so", i % 2 ? RTLD_NOW : RTLD_LAZY | RTLD_LOCAL);
		if (!handle)
			fprintf(stderr, "%s\n", dlerror());
		CHECK(handle);
		double (*cosine)(double) = (double (*)(double))dlsym(handle, "cos");
		CHECK(cosine && cosine(0) == 1);
		free(malloc(10));
		CHECK(!dlsym(handle, "no_such_name"));
		CHECK(strstr(dlerror(), "no_such_name"));
		CHECK(!dlerror());
		CHECK_EQUAL(dlclose(handle), 0);
		found++;
	}
	CHECK(!dlopen("libnowhere.so", RTLD_NOW));
	CHECK(strstr(dlerror(), "libnowhere.so"));
	CHECK(dlopen(NULL, RTLD_NOW));
	printf("found beside the program %d times\n", found);
	return 0;
}
