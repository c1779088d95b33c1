#include "reporter/scan/polled.h"

#include <fcntl.h>
#include <string.h>

#include "base/digits.h"
#include "base/text.h"
#include "platform/sys.h"
#include "reporter/scan/memory.h"

#define TEXT_BYTES ((uint64_t)1 << 20) /* some 10,000 descriptors of one epoll */
#define LIST_BYTES ((uint64_t)32 * 1024)

void polled_parse(const char *text, void (*each)(uint64_t word, void *data), void *data)
{
	uint64_t word;
	for (const char *at = text; (at = digits_behind(at, "data:"));) {
		at = digits_hex(at, &word);
		each(word, data);
	}
}

static void mark_data(uint64_t word, void *data)
{
	mark_word(data, word);
}

static void put_path(char *path, const char *root, const char *folder, const char *name)
{
	struct text text = { .at = path, .size = 64 };
	text_format(&text, "%s/%s/%s", root, folder, name);
}

static void look_at(const char *root, const char *name, char *text, polled_file *each, void *data)
{
	static const char epoll[] = "anon_inode:[eventpoll]", uring[] = "anon_inode:[io_uring]";
	char path[64], target[sizeof epoll];
	put_path(path, root, "fd", name);
	long length = sys_readlink(path, target, sizeof target);
	if (length == (long)sizeof uring - 1 && memcmp(target, uring, sizeof uring - 1) == 0)
		each(NULL, data);
	if (length != (long)sizeof epoll - 1 || memcmp(target, epoll, sizeof epoll - 1) != 0)
		return;
	put_path(path, root, "fdinfo", name);
	long got = sys_read_file(path, text, TEXT_BYTES);
	if (got > 0)
		each(text, data);
	if (got <= 0 || got >= (long)TEXT_BYTES - 1)
		each(NULL, data);
}

void polled_each(int32_t pid, polled_file *each, void *data)
{
	struct entry {
		uint64_t inode, offset;
		uint16_t bytes;
		uint8_t type;
		char name[];
	};
	char root[32], path[64];
	struct text text_of_root = TEXT_OF(root);
	if (pid)
		text_format(&text_of_root, "/proc/%d", pid);
	else
		text_put(&text_of_root, "/proc/thread-self");
	put_path(path, root, "fd", "");
	int fd = sys_open(path, O_RDONLY | O_DIRECTORY, 0);
	if (fd < 0)
		return;
	char *text = memory_array(TEXT_BYTES, 1);
	char *list = memory_array(LIST_BYTES, 1);
	long got;
	while (text && list && (got = sys_call3(SYS_getdents64, fd, list, LIST_BYTES)) > 0)
		for (long at = 0; at < got;) {
			const struct entry *entry = (const struct entry *)(list + at);
			at += entry->bytes;
			if (entry->name[0] != '.')
				look_at(root, entry->name, text, each, data);
		}
	memory_free(text, TEXT_BYTES, 1);
	memory_free(list, LIST_BYTES, 1);
	sys_close(fd);
}

static void mark_file(const char *text, void *data)
{
	if (text)
		polled_parse(text, mark_data, data);
}

void polled_mark(struct mark *mark, int32_t pid)
{
	polled_each(pid, mark_file, mark);
}
