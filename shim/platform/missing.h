/* Functions that this machine's libc headers do not declare but some libc exports. */
#ifndef WH_PLATFORM_MISSING_H
#define WH_PLATFORM_MISSING_H

#include <poll.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/types.h>

void cfree(void *block);
void free_sized(void *block, size_t size);
void free_aligned_sized(void *block, size_t alignment, size_t size);

/* glibc's allocator by its other names. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void *__libc_valloc(size_t size);
void *__libc_pvalloc(size_t size);
void __libc_free(void *block);

/* Of the C++ runtime: "Itanium C++ ABI", 3.3.3. */
int __cxa_guard_acquire(uint64_t *guard);
void __cxa_guard_release(uint64_t *guard);
void __cxa_guard_abort(uint64_t *guard);

/* What the compiler makes of calls whose buffer it knows the size of (_FORTIFY_SOURCE). */
ssize_t __read_chk(int fd, void *buf, size_t len, size_t size);
ssize_t __pread_chk(int fd, void *buf, size_t len, off_t at, size_t size);
ssize_t __pread64_chk(int fd, void *buf, size_t len, off64_t at, size_t size);
ssize_t __recv_chk(int fd, void *buf, size_t len, size_t size, int flags);
ssize_t __recvfrom_chk(int fd, void *buf, size_t len, size_t size, int flags, __SOCKADDR_ARG from,
		       socklen_t *from_len);
char *__fgets_chk(char *into, size_t room, int size, FILE *stream);
size_t __fread_chk(void *into, size_t room, size_t size, size_t count, FILE *stream);
/* What getc and its kin are called by, or call, in programs. */
int _IO_getc(FILE *stream);
int __uflow(FILE *stream);
int __underflow(FILE *stream);
int __isoc99_scanf(const char *format, ...);
int __isoc23_scanf(const char *format, ...);
int __isoc99_fscanf(FILE *stream, const char *format, ...);
int __isoc23_fscanf(FILE *stream, const char *format, ...);
int __isoc99_vscanf(const char *format, va_list into);
int __isoc23_vscanf(const char *format, va_list into);
int __isoc99_vfscanf(FILE *stream, const char *format, va_list into);
int __isoc23_vfscanf(FILE *stream, const char *format, va_list into);
int __poll_chk(struct pollfd *fds, nfds_t count, int timeout_ms, size_t size);
int __ppoll_chk(struct pollfd *fds, nfds_t count, const struct timespec *timeout, const sigset_t *mask,
		size_t size);

#endif
