/*
 * munmap, mmap and mremap answer as the kernel does, whatever they are asked, and leave errno alone where they succeed.
 *
 * RUN: %prog
 * RUN: LD_PRELOAD=%lib %prog
 * RUN: LD_PRELOAD=%lib WHOHOLDS_OPTIONS=check=heap %prog
 * RUN: whoholds run %prog
 * KINDS: none
 * EXPECT-STDOUT: answered
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>

#include "lib/check.h"

#define PAGE ((size_t)4096)
#define ANONYMOUS (MAP_PRIVATE | MAP_ANONYMOUS)
#define BOTH (PROT_READ | PROT_WRITE)

#define REFUSED(call, error) \
	do { \
		errno = 0; \
		CHECK((call) == MAP_FAILED); \
		CHECK_EQUAL(errno, error); \
	} while (0)

#define REFUSED_UNMAP(at, bytes) \
	do { \
		errno = 0; \
		CHECK_EQUAL(munmap(at, bytes), -1); \
		CHECK_EQUAL(errno, EINVAL); \
	} while (0)

static void refused(char *at)
{
	REFUSED_UNMAP(at + 1, 10);
	REFUSED_UNMAP(at, 0);
	REFUSED_UNMAP(at, SIZE_MAX);
	REFUSED_UNMAP((char *)(UINTPTR_MAX - PAGE + 1), 2 * PAGE);
	REFUSED(mmap(at + 1, PAGE, BOTH, ANONYMOUS | MAP_FIXED, -1, 0), EINVAL);
	REFUSED(mmap(at, PAGE, BOTH, MAP_PRIVATE | MAP_FIXED, -1, 0), EBADF);
	REFUSED(mmap(at, PAGE, BOTH, MAP_FIXED | MAP_ANONYMOUS, -1, 0), EINVAL);
	REFUSED(mmap(at, PAGE, BOTH, ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0), EEXIST);
	REFUSED(mmap(NULL, 0, BOTH, ANONYMOUS, -1, 0), EINVAL);
	REFUSED(mmap(NULL, SIZE_MAX - PAGE, BOTH, ANONYMOUS, -1, 0), ENOMEM);
	REFUSED(mmap(NULL, PAGE, BOTH, ANONYMOUS, -1, 1), EINVAL);
	REFUSED(mmap64(NULL, PAGE, BOTH, MAP_PRIVATE, -1, 0), EBADF);
	REFUSED(mremap(at + 1, PAGE, 2 * PAGE, MREMAP_MAYMOVE), EINVAL);
	REFUSED(mremap(at, PAGE, 0, 0), EINVAL);
	REFUSED(mremap(at, PAGE, PAGE, 64), EINVAL);
	REFUSED(mremap(at, PAGE, PAGE, MREMAP_FIXED, at), EINVAL);
	REFUSED(mremap(at, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, at + 1), EINVAL);
}

int main(void)
{
	char *at = mmap(NULL, 4 * PAGE, BOTH, ANONYMOUS, -1, 0);
	CHECK(at != MAP_FAILED);
	refused(at);
	at[0] = 'x';
	errno = 77;
	CHECK(mmap(at + PAGE, PAGE, PROT_READ, ANONYMOUS | MAP_FIXED, -1, 0) == at + PAGE);
	CHECK(mmap64(at + PAGE, PAGE, BOTH, ANONYMOUS | MAP_FIXED, -1, 0) == at + PAGE);
	CHECK(mremap(at, 4 * PAGE, 3 * PAGE, 0) == at);
	char *moved = mremap(at, PAGE, 64 * PAGE, MREMAP_MAYMOVE);
	CHECK(moved != MAP_FAILED && moved != at && moved[0] == 'x');
	CHECK(mremap(moved, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, at) == at && at[0] == 'x');
	CHECK_EQUAL(munmap(moved, 64 * PAGE), 0);
	CHECK_EQUAL(munmap(moved, 64 * PAGE), 0); /* nothing is there, and that is no error */
	CHECK_EQUAL(munmap(at, 3 * PAGE - 1), 0); /* the rest of a page goes with it */
	/* Of shared memory the old size 0 makes a second mapping. */
	char *shared = mmap(NULL, PAGE, BOTH, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	char *second = mremap(shared, 0, PAGE, MREMAP_MAYMOVE);
	CHECK(shared != MAP_FAILED && second != MAP_FAILED && second != shared);
	shared[7] = 'y';
	CHECK(second[7] == 'y');
	CHECK_EQUAL(munmap(shared, PAGE), 0);
	CHECK(second[7] == 'y');
	CHECK_EQUAL(munmap(second, PAGE), 0);
	CHECK_EQUAL(errno, 77);
	puts("answered");
	return 0;
}
