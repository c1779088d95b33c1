/*
 * What the command writes into the recording of a process that runs: who watches it, and questions. It is the only thing
 * there that is written from outside.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "reporter/recording/reader.h"

/*
 * Opens what is read for writing too, a descriptor of its own; `ret_base` gets where the recording begins in it. The one for
 * reading stays as it is; this reaches the same file under whatever name. Return: it, or -errno.
 */
static int open_to_write(const struct reader *reader, int mode, uint64_t *ret_base)
{
	char path[64];
	*ret_base = 0;
	if (reader->memory_of)
		snprintf(path, sizeof path, "/proc/%d/mem", reader->memory_of);
	else
		snprintf(path, sizeof path, "/proc/self/fd/%d", reader->fd);
	int fd = open(path, mode | O_CLOEXEC);
	/* A file that was found through its process has pieces too. */
	for (size_t i = 0; reader->memory_of && i < reader->piece_count; i++)
		if (reader->pieces[i].offset == 0)
			*ret_base = reader->pieces[i].address;
	return fd < 0 ? -errno : fd;
}

static bool write_at(int fd, uint64_t at, const void *bytes, size_t count)
{
	return pwrite(fd, bytes, count, (off_t)at) == (ssize_t)count;
}

int reader_watch(struct reader *reader, pid_t pid, uint64_t pid_ticks)
{
	const int32_t number = pid;
	uint64_t base;
	int fd = open_to_write(reader, O_WRONLY, &base);
	if (fd < 0)
		return fd;
	/* Ticks first: a pid whose ticks are those of the watcher before would be taken for dead. */
	bool good =
	    write_at(fd, base + offsetof(struct rec_header, watcher_ticks), &pid_ticks, sizeof pid_ticks) &&
	    write_at(fd, base + offsetof(struct rec_header, watcher_pid), &number, sizeof number);
	int error = good ? 0 : -errno;
	close(fd);
	return error;
}

int reader_requests_told(struct reader *reader, uint32_t number)
{
	uint64_t base;
	int fd = open_to_write(reader, O_WRONLY, &base);
	if (fd < 0)
		return fd;
	int error = write_at(fd, base + offsetof(struct rec_header, requests_told), &number, sizeof number)
			? 0
			: -errno;
	close(fd);
	return error;
}

/* Wakes the reporter thread. The page is never touched: somebody may have cut the file. Without it, its next tick will do. */
static void wake(int fd)
{
	const size_t bytes = REC_HEADER_BYTES;
	char *page = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (page == MAP_FAILED)
		return;
	syscall(SYS_futex, page + offsetof(struct rec_header, poke), FUTEX_WAKE, 1, NULL, NULL, 0);
	munmap(page, bytes);
}

/* Opens the header of a target that is to be asked. Return: the descriptor, or -errno. */
static int ask_begin(struct reader *reader, struct rec_header *ret_header, uint64_t *ret_base)
{
	*ret_header = (struct rec_header){ .poke = 0 };
	*ret_base = 0;
	int error = reader_glance(reader, ret_header);
	return error ? error : open_to_write(reader, O_RDWR, ret_base);
}

/* `good`: the request has been written, all but the number at `wanted`, which goes last. Return: 0 or -errno. */
static int ask_end(const struct reader *reader, const struct rec_header *header, int fd, bool good,
		   uint64_t base, size_t wanted, uint32_t number)
{
	uint32_t poke = header->poke + 1;
	good = good && write_at(fd, base + wanted, &number, sizeof number) &&
	       write_at(fd, base + offsetof(struct rec_header, poke), &poke, sizeof poke);
	int error = good ? 0 : -errno;
	if (good && !reader->memory_of)
		wake(fd);
	close(fd);
	return error;
}

int reader_ask_scan(struct reader *reader, uint32_t *ret_number)
{
	struct rec_header header;
	uint64_t base;
	int fd = ask_begin(reader, &header, &base);
	if (fd < 0)
		return fd;
	*ret_number = header.scan.wanted + 1;
	return ask_end(reader, &header, fd, true, base, offsetof(struct rec_header, scan.wanted),
		       *ret_number);
}

int reader_ask_why(struct reader *reader, uint32_t what, uint64_t value, uint32_t *ret_number)
{
	struct rec_header header;
	uint64_t base;
	int fd = ask_begin(reader, &header, &base);
	if (fd < 0)
		return fd;
	*ret_number = header.why.wanted + 1;
	bool good = write_at(fd, base + offsetof(struct rec_header, why.what), &what, sizeof what) &&
		    write_at(fd, base + offsetof(struct rec_header, why.value), &value, sizeof value);
	return ask_end(reader, &header, fd, good, base, offsetof(struct rec_header, why.wanted), *ret_number);
}
