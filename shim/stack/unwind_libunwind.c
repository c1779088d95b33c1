/*
 * libunwind, as the reference that our own unwinding is compared with. It is linked statically, and all that
 * it wants from libc is renamed (libunwind.rename) to the functions below before that: in its own
 * shape it would call our hooks for its locks, take the loader's lock, change the signal mask, open
 * files of the program and keep a pipe open in it.
 */
#define UNW_LOCAL_ONLY

#include "stack/unwind.h"

#include <errno.h>
#include <libunwind.h>
#include <link.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>

#include "platform/sys.h"
#include "stack/modules.h"

/* One user at a time: with locks of its own taken away, libunwind is not safe among threads or in handlers. */
static uint32_t in_use;

/* -- what libunwind gets instead of libc ------------------------------------- */

void *libunwind_malloc(size_t bytes);
void libunwind_free(void *block);
int libunwind_open(const char *path, int flags, ...);
int libunwind_stat(const char *path, void *ret_stat);
int libunwind_fstat(int fd, void *ret_stat);
long libunwind_read(int fd, void *buffer, size_t bytes);
long libunwind_write(int fd, const void *bytes, size_t count);
int libunwind_close(int fd);
void *libunwind_mmap(void *at, size_t bytes, int protection, int flags, int fd, long offset);
int libunwind_munmap(void *at, size_t bytes);
int libunwind_mincore(void *at, size_t bytes, unsigned char *ret_there);
int libunwind_msync(void *at, size_t bytes, int flags);
int libunwind_pipe2(int *ret_fds, int flags);
long libunwind_syscall(long number, ...);
long libunwind_sysconf(int name);
void libunwind_abort(void);
int libunwind_sigprocmask(int how, const void *set, void *old);
int libunwind_sigfillset(void *set);
const char *libunwind_strerror(int error);
int libunwind_mutex(void *mutex);
int libunwind_modules(int (*each)(struct dl_phdr_info *info, size_t size, void *data), void *data);
int libunwind_no_lzma(void);

/* Debug files are not wanted: the tables that the program itself would throw exceptions by are compared. */
void *libunwind_malloc(size_t bytes)
{
	(void)bytes;
	return NULL;
}

void libunwind_free(void *block)
{
	(void)block;
}

static int refuse(void)
{
	errno = ENOSYS;
	return -1;
}

int libunwind_open(const char *path, int flags, ...)
{
	(void)path, (void)flags;
	return refuse();
}

int libunwind_stat(const char *path, void *ret_stat)
{
	(void)path, (void)ret_stat;
	return refuse();
}

int libunwind_fstat(int fd, void *ret_stat)
{
	(void)fd, (void)ret_stat;
	return refuse();
}

long libunwind_read(int fd, void *buffer, size_t bytes)
{
	(void)fd, (void)buffer;
	return (long)bytes; /* it empties its pipe, see libunwind_pipe2 */
}

long libunwind_write(int fd, const void *bytes, size_t count)
{
	(void)fd, (void)bytes;
	return (long)count; /* messages, of a library that is told to be silent */
}

int libunwind_close(int fd)
{
	(void)fd;
	return 0;
}

void *libunwind_mmap(void *at, size_t bytes, int protection, int flags, int fd, long offset)
{
	(void)at, (void)protection, (void)offset;
	void *pages = fd < 0 && (flags & MAP_ANONYMOUS) ? sys_pages(bytes) : NULL;
	return pages ? pages : MAP_FAILED;
}

int libunwind_munmap(void *at, size_t bytes)
{
	sys_pages_free(at, bytes);
	return 0;
}

/* It asks whether a page is there in three ways: these two, and by writing from it to a pipe. */
int libunwind_mincore(void *at, size_t bytes, unsigned char *ret_there)
{
	memset(ret_there, 1, (bytes + MEMORY_PAGE - 1) / MEMORY_PAGE);
	return libunwind_msync(at, bytes, 0);
}

int libunwind_msync(void *at, size_t bytes, int flags)
{
	(void)flags;
	for (uint64_t page = (uintptr_t)at & ~(MEMORY_PAGE - 1); page < (uintptr_t)at + bytes; page += MEMORY_PAGE)
		if (!memory_readable(page)) {
			errno = ENOMEM;
			return -1;
		}
	return 0;
}

int libunwind_pipe2(int *ret_fds, int flags)
{
	(void)flags;
	ret_fds[0] = ret_fds[1] = -1;
	return 0;
}

long libunwind_syscall(long number, ...)
{
	va_list arguments;
	va_start(arguments, number);
	(void)va_arg(arguments, long);
	uint64_t from = va_arg(arguments, uint64_t);
	va_end(arguments);
	if (number == SYS_write && memory_readable(from))
		return 1;
	errno = EFAULT;
	return -1;
}

long libunwind_sysconf(int name)
{
	(void)name;
	return (long)MEMORY_PAGE; /* the one thing that it asks for */
}

void libunwind_abort(void)
{
	for (;;)
		__builtin_trap(); /* reached by resuming execution alone, which we never do */
}

int libunwind_sigprocmask(int how, const void *set, void *old)
{
	(void)how, (void)set, (void)old;
	return 0;
}

int libunwind_sigfillset(void *set)
{
	(void)set;
	return 0;
}

const char *libunwind_strerror(int error)
{
	(void)error;
	return "";
}

int libunwind_mutex(void *mutex)
{
	(void)mutex;
	return 0;
}

int libunwind_no_lzma(void)
{
	return 11; /* LZMA_PROG_ERROR */
}

/* The address that is being looked up: libunwind goes through all modules for it, we know the one. */
static uint64_t wanted;

int libunwind_modules(int (*each)(struct dl_phdr_info *info, size_t size, void *data), void *data)
{
	struct module module;
	if (!module_find(wanted, &module) && !module_find(wanted - 1, &module))
		return 0;
	const ElfW(Ehdr) *file = (const void *)module.start;
	if (!module_covers(&module, module.start, sizeof *file) || memcmp(file->e_ident, ELFMAG, SELFMAG) != 0 ||
	    !module_covers(&module, module.start + file->e_phoff, file->e_phnum * sizeof(ElfW(Phdr))))
		return 0;
	struct dl_phdr_info info = {
		.dlpi_addr = module.bias,
		.dlpi_name = "",
		.dlpi_phdr = (const void *)(module.start + file->e_phoff),
		.dlpi_phnum = file->e_phnum,
		.dlpi_adds = 1,
	};
	return each(&info, sizeof info, data);
}

/* -- the reference ------------------------------------------------------------ */

static NOINLINE enum unwind_end collect(uint64_t from_sp, uint64_t *pcs, uint32_t limit, uint32_t *ret_count)
{
	unw_context_t context;
	unw_cursor_t cursor;
	bool reached = false;
	unw_getcontext(&context);
	if (unw_init_local(&cursor, &context) < 0)
		return UNWIND_LOST;
	for (unsigned skipped = 0;;) {
		unw_word_t pc, sp;
		if (unw_get_reg(&cursor, UNW_REG_IP, &pc) < 0 || unw_get_reg(&cursor, UNW_REG_SP, &sp) < 0)
			return UNWIND_LOST;
		reached = reached || sp == from_sp;
		if (!reached && ++skipped > 16)
			return UNWIND_LOST;
		if (!pc)
			return UNWIND_OUTERMOST;
		if (reached && *ret_count == limit)
			return UNWIND_FULL;
		if (reached)
			pcs[(*ret_count)++] = pc;
		wanted = pc;
		int step = unw_step(&cursor);
		if (step <= 0)
			return step ? UNWIND_LOST : UNWIND_OUTERMOST;
	}
}

enum unwind_end unwind_reference(const void *frame, uint64_t *pcs, uint32_t limit, uint32_t *ret_count)
{
	*ret_count = 0;
	if (__atomic_exchange_n(&in_use, 1, __ATOMIC_ACQUIRE))
		return UNWIND_LOST;
	int kept = errno;
	/* What it would remember of modules that go away nobody could tell it to forget. */
	unw_set_caching_policy(unw_local_addr_space, UNW_CACHE_NONE);
	enum unwind_end end = collect((uintptr_t)frame + 16, pcs, limit, ret_count);
	errno = kept;
	__atomic_store_n(&in_use, 0, __ATOMIC_RELEASE);
	return end;
}
