/*
 * Paths that are no address of the program's, or that nobody has ended before the end of the page: the kernel says so, and nobody
 * reads them before it does.
 *
 * KINDS: none
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/check.h"

static void refused(const char *path)
{
	errno = 0;
	CHECK(!fopen(path, "r"));
	CHECK_EQUAL(errno, EFAULT);
}

int main(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(pages != MAP_FAILED);
	CHECK_EQUAL(mprotect(pages + page, page, PROT_NONE), 0);
	refused((const char *)8);
	refused(pages + page);
	for (size_t length = 1; length <= strlen("/proc/self/stat"); length++) {
		memcpy(pages + page - length, "/proc/self/stat", length);
		refused(pages + page - length);
	}
	/* And one that just fits. */
	memcpy(pages + page - sizeof "/proc/self/stat", "/proc/self/stat", sizeof "/proc/self/stat");
	FILE *stat = fopen(pages + page - sizeof "/proc/self/stat", "r");
	CHECK(stat);
	fclose(stat);
	return 0;
}
